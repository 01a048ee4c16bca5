/**
 * The seed of every property that names none, so that a run is the same each time and a red one can be run again.
 * `PROPERTY_SEED=random npm test` looks elsewhere, `PROPERTY_SEED=<number>` looks again where a failure was; a failing
 * property prints the seed it was run with.
 */
import fc from 'fast-check';

const DEFAULT_SEED = 20_261_123;

function seedOf(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_SEED;
  if (text === 'random') return Math.floor(Math.random() * 2 ** 31);
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`PROPERTY_SEED is ${text}: give a whole number, or random`);
}

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: seedOf(process.env['PROPERTY_SEED']) });
