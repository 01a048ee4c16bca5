/**
 * The checks after an installation: whether what runs now is the new version, with the configuration that was meant, on a
 * store that is whole. Pure, over what cli/deploy.ts gathered.
 */
import type { Checked } from './checks.ts';

export interface Installed {
  readonly directory: string;
  /** What `--version` of the installed command printed; null: it could not be run. */
  readonly versionText: string | null;
  /** Version that was to be installed; null: any. */
  readonly wantedVersion: string | null;
  readonly configurationProblems: readonly string[] | null;
  /** Who has the store open; null for nobody. */
  readonly holder: string | null;
  /** Whether a running program is expected. */
  readonly running: boolean;
  /** Damage that verify found, as text; null: the store could not be looked at, and why is in `storeTrouble`. */
  readonly damage: readonly string[] | null;
  readonly storeTrouble: string | null;
  /** Format version of what is on disk that this program does not know; null when there is none. */
  readonly formatTrouble: string | null;
  /** Of the systemd unit, what `systemctl is-active` said; null: not asked. */
  readonly unit: { readonly name: string; readonly active: string } | null;
}

type Check = (installed: Installed) => Checked | null;

const ok = (id: string, seen: string): Checked => ({ id, state: 'ok', seen, remedy: '' });
const fail = (id: string, seen: string, remedy: string): Checked => ({ id, state: 'fail', seen, remedy });

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

function command({ versionText }: Installed): Checked {
  if (versionText === null) return fail('command', 'imatrix-mm cannot be run', 'install the package again');
  return versionText.includes('MEMORY_V2')
    ? ok('command', firstLine(versionText))
    : fail('command', firstLine(versionText), 'it is not this package’s command: look at PATH');
}

function version({ versionText, wantedVersion }: Installed): Checked | null {
  if (wantedVersion === null || versionText === null) return null;
  // Whole: 2.0.0 is not 2.0.0-alpha.1.
  return versionText.split(/[\s(),]+/).includes(wantedVersion)
    ? ok('version', wantedVersion)
    : fail('version', `not ${wantedVersion}: ${firstLine(versionText)}`, `install ${wantedVersion}, and look at PATH`);
}

function configuration({ configurationProblems: problems }: Installed): Checked | null {
  if (problems === null) return null;
  return problems.length === 0
    ? ok('configuration', 'every value is accepted')
    : fail('configuration', problems.join('; '), 'mend the file; imatrix-mm config check explains each value');
}

function format({ formatTrouble }: Installed): Checked {
  return formatTrouble === null
    ? ok('format', 'known to this version')
    : fail('format', formatTrouble, 'roll back: imatrix-mm deploy rollback');
}

function sound({ damage, storeTrouble, directory }: Installed): Checked {
  if (damage === null)
    return fail('store', storeTrouble ?? 'it cannot be read', `look at ${directory}, owner and mode`);
  return damage.length === 0
    ? ok('store', 'no damage')
    : fail(
        'store',
        `${damage.length} damaged: ${damage[0]}`,
        'imatrix-mm verify names all of it; repair keeps what is whole',
      );
}

function process({ holder, running }: Installed): Checked {
  if (!running) return ok('process', holder ?? 'nobody has the store open, and nobody need');
  return holder === null
    ? fail('process', 'nobody has the store open', 'start the program, and look at its log')
    : ok('process', holder);
}

function unit({ unit: asked }: Installed): Checked | null {
  if (asked === null) return null;
  return asked.active === 'active'
    ? ok('unit', `${asked.name} is active`)
    : fail('unit', `${asked.name} is ${asked.active}`, `systemctl status ${asked.name}`);
}

const CHECKS: readonly Check[] = [command, version, configuration, format, sound, process, unit];

export const checkInstalled = (installed: Installed): readonly Checked[] =>
  CHECKS.flatMap((check) => check(installed) ?? []);
