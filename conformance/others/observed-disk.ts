/**
 * Somebody's disk with somebody looking: every call and its answer is written down, and what the port forbids of every
 * answer (an exception, a rejection, a wrong form, none at all) is noticed whoever asked.
 */
import type {
  Directory,
  DiskPort,
  FileEntry,
  IoError,
  IoErrorCode,
  IoResult,
  LockResult,
} from '../../src/core/port.ts';

const CODES: readonly IoErrorCode[] = ['NOT_FOUND', 'NO_SPACE', 'READ_ONLY', 'DENIED', 'IO'];

/** A law does not hold; the message says by which call. */
export class LawBroken extends Error {
  override readonly name = 'LawBroken';
  /** Set when it is not the law under test that does not hold. */
  readonly law: string | null;

  constructor(message: string, law: string | null = null) {
    super(message);
    this.law = law;
  }
}

/** The law that every answer has to keep, see laws/table.ts. */
export const ANSWERS_ARE_VALUES = 'PORT-19';

type Form = 'nothing' | 'count' | 'bytes' | 'entries';

const isBytes = (value: unknown): boolean => typeof value === 'number' && value >= 0;

const FORMS: Readonly<Record<Form, (value: unknown) => boolean>> = {
  nothing: () => true,
  count: (value) => Number.isSafeInteger(value) && isBytes(value),
  bytes: isBytes,
  entries: (value) =>
    Array.isArray(value) &&
    value.every((entry: Partial<FileEntry> | null) => typeof entry?.name === 'string' && isBytes(entry.bytes)),
};

const isIoError = (error: Partial<IoError> | undefined): boolean =>
  CODES.includes(error?.code as IoErrorCode) && typeof error?.detail === 'string' && error.detail !== '';

const path = (directory: Directory, name: string): string => `${directory === '' ? '' : `${directory}/`}${name}`;

const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 100) ?? String(value);

function showValue(form: Form, value: unknown): string {
  if (form === 'nothing') return 'ok';
  if (form === 'entries') return `${(value as unknown[]).length} files`;
  return `${value} bytes`;
}

export interface Call {
  readonly asked: string;
  answer: string;
}

export class ObservedDisk implements DiskPort {
  /** Calls in the order in which they were made. */
  readonly calls: Call[];
  /** The first answer that was none of the port's, whoever asked. */
  broken: LawBroken | null = null;
  readonly #disk: DiskPort;
  readonly #timeoutMs: number;

  /** @param calls where they are written down, when several disks are one story. */
  constructor(disk: DiskPort, timeoutMs: number, calls: Call[] = []) {
    this.calls = calls;
    this.#disk = disk;
    this.#timeoutMs = timeoutMs;
  }

  note(asked: string, answer: string): void {
    this.calls.push({ asked, answer });
  }

  async lock(): Promise<LockResult> {
    return this.#observe(
      'lock',
      () => this.#disk.lock(),
      (result) => {
        if (result?.ok === true) return 'ok';
        if (result?.ok !== false) return null;
        if ('holder' in result) return typeof result.holder === 'string' ? `held by ${show(result.holder)}` : null;
        return isIoError(result.error) ? result.error.code : null;
      },
    );
  }

  async unlock(): Promise<void> {
    return this.#observe(
      'unlock',
      () => this.#disk.unlock(),
      () => 'ok',
    );
  }

  list(directory: Directory): Promise<IoResult<readonly FileEntry[]>> {
    return this.#result(`list ${directory === '' ? 'the root' : directory}`, 'entries', () =>
      this.#disk.list(directory),
    );
  }

  read(directory: Directory, name: string, offset: number, into: Uint8Array): Promise<IoResult<number>> {
    const asked = `read ${path(directory, name)}, ${into.length} bytes at ${offset}`;
    return this.#result(asked, 'count', () => this.#disk.read(directory, name, offset, into));
  }

  readOnce(directory: Directory, name: string, into: Uint8Array): Promise<IoResult<number>> {
    const disk = this.#disk;
    return this.#result(`read ${path(directory, name)} once, ${into.length} bytes`, 'count', () =>
      disk.readOnce === undefined ? disk.read(directory, name, 0, into) : disk.readOnce(directory, name, into),
    );
  }

  write(directory: Directory, name: string, offset: number, bytes: Uint8Array): Promise<IoResult<void>> {
    const asked = `write ${path(directory, name)}, ${bytes.length} bytes at ${offset}`;
    return this.#result(asked, 'nothing', () => this.#disk.write(directory, name, offset, bytes));
  }

  sync(directory: Directory, name: string): Promise<IoResult<void>> {
    return this.#result(`sync ${path(directory, name)}`, 'nothing', () => this.#disk.sync(directory, name));
  }

  syncDirectory(directory: Directory): Promise<IoResult<void>> {
    const asked = `sync the directory ${directory === '' ? '(root)' : directory}`;
    return this.#result(asked, 'nothing', () => this.#disk.syncDirectory(directory));
  }

  remove(directory: Directory, name: string): Promise<IoResult<void>> {
    return this.#result(`remove ${path(directory, name)}`, 'nothing', () => this.#disk.remove(directory, name));
  }

  rename(directory: Directory, from: string, to: string): Promise<IoResult<void>> {
    return this.#result(`rename ${path(directory, from)} to ${to}`, 'nothing', () =>
      this.#disk.rename(directory, from, to),
    );
  }

  freeBytes(): Promise<IoResult<number>> {
    return this.#result('free bytes', 'bytes', () => this.#disk.freeBytes());
  }

  after(delayMs: number, callback: () => void): () => void {
    const cancel = this.#disk.after(delayMs, callback);
    this.note(`after ${delayMs} ms`, 'ok');
    if (typeof cancel !== 'function')
      throw this.#break('after', `answered ${show(cancel)}: a call that cancels was expected`);
    return cancel;
  }

  #result<T>(asked: string, form: Form, call: () => Promise<IoResult<T>>): Promise<IoResult<T>> {
    return this.#observe(asked, call, (result) => {
      if (result?.ok === true) return FORMS[form](result.value) ? showValue(form, result.value) : null;
      return result?.ok === false && isIoError(result.error) ? result.error.code : null;
    });
  }

  /** @param told the answer in words, or null for one that is none. */
  async #observe<T>(asked: string, call: () => Promise<T>, told: (answer: T) => string | null): Promise<T> {
    const noted: Call = { asked, answer: 'not answered yet' };
    this.calls.push(noted);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `gave no answer within ${this.#timeoutMs} ms`;
      timer = setTimeout(() => reject(this.#break(asked, message)), this.#timeoutMs);
    });
    try {
      const answer = await Promise.race([call(), late]);
      const words = told(answer);
      if (words === null) throw this.#break(asked, `answered ${show(answer)}: this is no result of the port`);
      noted.answer = words;
      return answer;
    } catch (thrown) {
      const [line] = String(thrown instanceof Error ? thrown.message : thrown).split('\n');
      const broken =
        thrown instanceof LawBroken ? thrown : this.#break(asked, `threw ${show(line)}: an error must be a value`);
      noted.answer = broken.message.slice(asked.length + 1);
      throw broken;
    } finally {
      clearTimeout(timer);
    }
  }

  #break(asked: string, what: string): LawBroken {
    const broken = new LawBroken(`${asked} ${what}`, ANSWERS_ARE_VALUES);
    this.broken ??= broken;
    return broken;
  }
}
