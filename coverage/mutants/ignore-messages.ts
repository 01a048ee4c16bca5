/**
 * Tells Stryker which literals are texts for people: sentences given to an assertion, a refusal or an error. A text that
 * is changed changes nothing that the engine does, and no conformance run should hold an implementation to its wording.
 *
 * Codes, names of events, states and files are literals too, and stay: they have no space in them.
 */

interface Node {
  readonly type: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly callee?: Node;
  readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
}

interface NodePath {
  readonly node: Node;
  readonly parent: Node | null;
}

const TAKES_A_TEXT = new Set(['failure', 'ioFailure', 'invalid', 'invariant', 'Error', 'RangeError', 'TypeError']);

const textOf = ({ type, value, quasis }: Node): string => {
  if (type === 'StringLiteral') return String(value);
  return type === 'TemplateLiteral' ? (quasis ?? []).map((part) => part.value.raw).join('') : '';
};

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'messages',
    value: {
      /** @returns why the node is left alone, or undefined to mutate it. */
      shouldIgnore: ({ node, parent }: NodePath): string | undefined => {
        const isArgument = parent?.type === 'CallExpression' || parent?.type === 'NewExpression';
        if (!isArgument || !TAKES_A_TEXT.has(parent.callee?.name ?? '')) return undefined;
        return textOf(node).includes(' ') ? 'a text that people read' : undefined;
      },
    },
  },
];
