/** CRASH: what was durable, what of the rest was kept, lost and torn, in bytes and records, as text and as bars. */
import { unsyncedOf } from '../../../model/queries.ts';
import type { CrashedFile, CrashFacts } from '../page-data.ts';
import { recoveryAfter } from '../shared/landmarks.ts';
import { grouped, Panel, plural } from './parts.tsx';
import { branchFrames, frameBefore, step } from './store.ts';

function fileWords({ durable, kept, lost, torn, nameLost }: CrashedFile): string {
  const parts = [`${grouped(durable)} durable`, `${grouped(kept)} kept`, `${grouped(lost)} lost`];
  if (torn) parts.push('TORN');
  if (nameLost) parts.push('NAME LOST');
  return parts.join(', ');
}

function File({ file, most }: { readonly file: CrashedFile; readonly most: number }) {
  const share = (bytes: number): string => `${(100 * bytes) / most}%`;
  return (
    <li data-file={file.name} data-torn={file.torn}>
      <div class="row">
        <b>{file.name}</b> <span>{fileWords(file)}</span>
      </div>
      <div class={file.torn ? 'bytes torn' : 'bytes'} aria-hidden="true">
        <span class="durable" style={{ width: share(file.durable) }} />
        <span class="kept" style={{ width: share(file.kept) }} />
        <span class="lost" style={{ width: share(file.lost) }} />
      </div>
    </li>
  );
}

function Records() {
  const before = frameBefore.value?.state.context;
  const found = recoveryAfter(branchFrames.value, step.value);
  if (before === undefined) return null;
  const atRisk = before.streams.reduce((sum, stream) => sum + unsyncedOf(stream), 0);
  const lost =
    found === null ? null : before.streams.map((stream, i) => Math.max(0, stream.appended - (found.appended[i] ?? 0)));
  const all = lost?.reduce((sum, each) => sum + each, 0) ?? 0;
  return (
    <p data-records>
      In records:{' '}
      {grouped(before.streams.reduce((sum, stream) => sum + stream.appended - stream.head - unsyncedOf(stream), 0))}{' '}
      were durable, {plural(atRisk, 'was', 'were')} not.{' '}
      {found === null || lost === null
        ? 'No recovery follows in this run.'
        : `Recovery at step ${found.step} brought back ${grouped(Math.max(0, atRisk - all))} of these; ${grouped(all)} ${all === 1 ? 'was' : 'were'} lost${all === 0 ? '' : ` (${lost.map((n, i) => `stream ${i}: ${n}`).join(', ')})`}.`}
    </p>
  );
}

export function Crash({ facts }: { readonly facts: CrashFacts }) {
  const most = Math.max(1, ...facts.files.map(({ durable, kept, lost }) => durable + kept + lost));
  const sum = (of: (file: CrashedFile) => number): number => facts.files.reduce((total, file) => total + of(file), 0);
  const torn = facts.files.filter((file) => file.torn).length;
  return (
    <Panel
      id="crash"
      title="What the crash left"
      note={facts.kind === 'kill' ? 'the process was killed' : 'power was lost'}
    >
      <p data-bytes>
        In bytes: {grouped(sum(({ durable }) => durable))} were durable; of what was not,{' '}
        {grouped(sum(({ kept }) => kept))} stayed and {grouped(sum(({ lost }) => lost))} went;{' '}
        {torn === 0 ? 'no file is' : `${plural(torn, 'file is', 'files are')}`} torn. Changes of names:{' '}
        {facts.names.kept} stayed, {facts.names.lost} went.
      </p>
      <Records />
      {facts.underWay.length === 0 ? null : <p class="quiet">Under way just then: {facts.underWay.join('; ')}.</p>}
      <p class="key">
        <i class="swatch durable" /> durable <i class="swatch kept" /> kept <i class="swatch lost" /> lost
      </p>
      <ul class="files">
        {facts.files.map((file) => (
          <File key={file.name} file={file} most={most} />
        ))}
      </ul>
      {facts.files.length === 0 ? <p class="quiet">Nothing was on the disk.</p> : null}
    </Panel>
  );
}
