/** The page of the model alone: the stores that the search visits, from their first state. */
import { SCOPES } from '../../model/scope.ts';
import type { ModelPage } from './page-data.ts';

/** Room for more records than the search takes: who plays does not count them. */
export const modelData = (): ModelPage => ({
  kind: 'model',
  scopes: Object.values(SCOPES)
    .flatMap((scopes) => scopes[0] ?? [])
    .map(({ name, bounds }) => ({ name: `${name}, ${bounds.sectors} sectors`, bounds })),
});
