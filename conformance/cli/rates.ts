/** How fast a campaign goes, how long it will take, and how that is written. */
import type { Profile } from '../actions.ts';
import type { Target } from '../campaign/plan.ts';
import type { Rate, Tally } from '../campaign/tally.ts';

type Rates = Readonly<Record<Profile, Readonly<Rate>>>;

const perCore = ({ steps, busyMs }: Readonly<Rate>): number => Math.round((1_000 * steps) / Math.max(1, busyMs));

/** Steps per second of processor time, for the profiles that ran. */
export function ratesAsJson(rates: Rates): Partial<Record<Profile, number>> {
  const ran = (['linux', 'wiced'] as const).filter((profile) => rates[profile].steps > 0);
  return Object.fromEntries(ran.map((profile) => [profile, perCore(rates[profile])]));
}

export function rateLines(rates: Rates, jobs: number): string[] {
  const each = Object.entries(ratesAsJson(rates)).map(([profile, rate]) => `${profile} ${rate}`);
  return [`\nchecked steps per second and core: ${each.join(', ')}${jobs > 1 ? ` (${jobs} jobs)` : ''}`];
}

/** 1h 02m, 3m 20s, 45s. */
export function showDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor((whole % 3_600) / 60)];
  const two = (value: number): string => String(value).padStart(2, '0');
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m ${two(whole % 60)}s` : `${whole}s`;
}

/** @param size runs or steps in all; null when time ends it. */
export function progressLine(
  target: Target,
  size: number | null,
  { runs, steps }: Pick<Tally, 'runs' | 'steps'>,
  seconds: number,
): string {
  const rate = `${Math.round(steps / Math.max(seconds, 0.001))} steps/s`;
  if (target.by === 'time') return `${steps} steps, ${rate}, ${showDuration(target.seconds - seconds)} left`;
  const done = target.by === 'runs' ? runs : steps;
  if (done === 0) return `0 of ${size} ${target.by}, ${showDuration(seconds)} so far`;
  const left = ((size ?? 0) - done) * (seconds / done);
  return `${done} of ${size} ${target.by}, ${rate}, ${showDuration(left)} left`;
}
