/**
 * imatrix-memory-manager/config: the store's settings from a file, the environment and the program's options, with the
 * place each came from. docs/configuration.md has every key.
 */
export type { Checked, Configuration, ConfigurationInput, Origin, Problem } from './configuration.ts';
export {
  checkConfiguration,
  DEFAULT_FILE,
  ENVIRONMENT_PREFIX,
  FILE_VARIABLE,
  loadConfiguration,
  originText,
  SECTION,
  variableOf,
} from './configuration.ts';
export type { ConfigurationOptions, ConfigurationValues, Key, LogLevel, LogTarget } from './keys.ts';
export { KEY_NAMES, KEYS, LOG_LEVELS, LOG_TARGETS } from './keys.ts';
export type { OpenConfiguredOptions } from './open-configured.ts';
export { logOf, openConfigured, showIfConfigured } from './open-configured.ts';
