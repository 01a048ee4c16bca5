/**
 * Reads what a TypeScript file imports and which ambient things it uses, from its syntax tree: imports of types count
 * as well as imports of values, and a word in a comment or a string counts as nothing.
 *
 * It knows no types: a local variable called `process` is reported as if it were the global one. Rename it.
 */
import { parseAst } from 'vitest/node';

/** Stands for a specifier that is not a literal: nobody can say what it loads. */
export const COMPUTED = '(computed)';

/** What reaches out of the language: time, chance, timers, the host. Type references are not uses. */
const AMBIENT = new Set([
  'Buffer',
  'Date',
  'Function',
  'XMLHttpRequest',
  'console',
  'crypto',
  'eval',
  'fetch',
  'global',
  'globalThis',
  'performance',
  'process',
  'queueMicrotask',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'structuredClone',
]);

export interface SourceFacts {
  /** Specifiers as written: static, dynamic, re-exported, type-only, `import('x').T`, `require`. */
  readonly imports: readonly string[];
  /** Ambient names used as values, `Math.random` and `import.meta` among them. */
  readonly ambient: readonly string[];
}

type Node = { readonly type: string } & Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** @param jsx whether it is a `.tsx` file. @throws when the source is no TypeScript. */
export function readSource(source: string, jsx = false): SourceFacts {
  const imports = new Set<string>();
  const ambient = new Set<string>();
  const visit = (node: Node, parent: Node | null): void => {
    for (const specifier of importedBy(node)) imports.add(specifier);
    const name = ambientUse(node, parent);
    if (name !== null) ambient.add(name);
    for (const child of Object.values(node).flat()) if (isNode(child)) visit(child, node);
  };
  visit(parseAst(source, { lang: jsx ? 'tsx' : 'ts' }) as unknown as Node, null);
  return { imports: [...imports], ambient: [...ambient] };
}

function importedBy(node: Node): string[] {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return isNode(node.source) ? [literal(node.source)] : [];
    case 'TSExternalModuleReference':
      return [literal(node.expression)];
    case 'CallExpression': {
      const callee = node.callee as Node;
      const [first] = node.arguments as Node[];
      return callee.type === 'Identifier' && callee.name === 'require' ? [literal(first)] : [];
    }
    default:
      return [];
  }
}

function literal(node: unknown): string {
  return isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : COMPUTED;
}

function ambientUse(node: Node, parent: Node | null): string | null {
  if (node.type === 'MetaProperty') return (node.meta as Node).name === 'import' ? 'import.meta' : null;
  if (node.type !== 'Identifier' || parent === null || !isValue(node, parent)) return null;
  const name = node.name as string;
  if (AMBIENT.has(name)) return name;
  if (name !== 'Math') return null;
  // Math may only be used as `Math.name`: `Math[x]`, `const { random } = Math` and an alias would hide chance.
  const plain = parent.type === 'MemberExpression' && parent.object === node && parent.computed === false;
  const member = plain ? ((parent.property as Node).name as string) : null;
  return member === null || member === 'random' ? 'Math.random' : null;
}

/** Names of members, keys and types are no uses of the thing that has the same name. */
function isValue(node: Node, parent: Node): boolean {
  if (parent.type.startsWith('TS')) return parent.expression === node;
  if (parent.type === 'MemberExpression') return parent.object === node || parent.computed === true;
  if (parent.type === 'ImportSpecifier' || parent.type === 'ExportSpecifier') return false;
  if ('key' in parent && parent.key === node) return parent.computed === true || parent.shorthand === true;
  return true;
}
