import { type ESTree, parseSync } from 'rolldown/utils';

/** A change of an expression or statement within one line of a source. */
export interface Site {
  kind: string;
  /** Counted from 1. */
  line: number;
  /** Where the changed text begins in its line, after the indentation, counted from 0. */
  column: number;
  before: string;
  after: string;
}

type Node = ESTree.Node;

/** A replacement of a part of the text. */
interface Change {
  kind: string;
  start: number;
  end: number;
  after: string;
}

/** Returns the possible changes of a source. Imports, types and comments are not changed. */
export function sitesOf(text: string): Site[] {
  const { program, errors } = parseSync('source.ts', text);
  if (errors[0] !== undefined) throw new Error(errors[0].message);
  const changes: Change[] = [];
  walk(program, (node) => changes.push(...changesOf(node, text)));
  return changes.flatMap(({ kind, start, end, after }) => {
    const before = text.slice(start, end);
    if (before.includes('\n') || before === after) return [];
    const lines = text.slice(0, start).split('\n');
    const column = (lines.at(-1) ?? '').trimStart().length;
    return [{ kind, line: lines.length, column, before, after }];
  });
}

export const canBeParsed = (text: string): boolean =>
  parseSync('source.ts', text).errors.length === 0;

const isWrapped = /^TS(?:As|Satisfies|NonNull)Expression$/;

/** Visits everything that runs. */
function walk(node: Node, visit: (node: Node) => void): void {
  if (/^Import|^ExportAll/.test(node.type) && node.type !== 'ImportExpression') return;
  if (node.type.startsWith('TS') && !isWrapped.test(node.type)) return;
  visit(node);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) walk(child, visit);
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const flipped: Record<string, string> = {
  ...{ '===': '!==', '!==': '===', '==': '!=', '!=': '==' },
  ...{ '<': '>=', '>=': '<', '>': '<=', '<=': '>' },
  ...{ '&&': '||', '||': '&&' },
};
const swapped: Record<string, string> = { some: 'every', every: 'some' };
const statusNames = /^(?:code|state|status|severity|verdict|stage|result|exit|exitCode)$/;

function changesOf(node: Node, text: string): Change[] {
  const of = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
  const replace = (
    kind: string,
    { start, end }: { start: number; end: number },
    after: string,
  ): Change[] => [{ kind, start, end, after }];
  switch (node.type) {
    case 'IfStatement': {
      const guard = isExit(node.consequent) && node.alternate === null;
      return [
        ...replace('condition negated', node.test, `!(${of(node.test)})`),
        ...(guard ? replace('early return removed', node, ';') : []),
      ];
    }
    case 'ConditionalExpression':
    case 'WhileStatement':
      return replace('condition negated', node.test, `!(${of(node.test)})`);
    case 'BinaryExpression':
    case 'LogicalExpression':
      return operatorChanges(node, text);
    case 'Literal':
      if (typeof node.value === 'boolean') return replace('boolean', node, String(!node.value));
      if (typeof node.value === 'number')
        return replace('number', node, node.value === 0 ? '1' : '0');
      return [];
    case 'ExpressionStatement':
      return isCall(node.expression) ? replace('call removed', node, ';') : [];
    case 'ReturnStatement':
      return node.argument === null || isPlain(node.argument)
        ? []
        : replace('returned value', node.argument, 'undefined');
    case 'ArrowFunctionExpression':
      return node.body.type === 'BlockStatement' || isPlain(node.body)
        ? []
        : replace('returned value', node.body, 'undefined');
    case 'CallExpression': {
      const { callee } = node;
      if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return [];
      const { name } = callee.property;
      if (name === 'filter')
        return replace('filter removed', { start: callee.object.end, end: node.end }, '');
      return swapped[name] === undefined
        ? []
        : replace('some or every', callee.property, swapped[name]);
    }
    case 'Property':
      return node.key.type === 'Identifier' && statusNames.test(node.key.name) && isText(node.value)
        ? replace('status or code', node.value, "'other'")
        : [];
    case 'NewExpression': {
      const [first] = node.arguments;
      return first !== undefined &&
        of(node.callee).endsWith('Error') &&
        isText(first) &&
        /^'[a-z-]+'$/.test(of(first))
        ? replace('status or code', first, "'internal'")
        : [];
    }
    default:
      return [];
  }
}

function operatorChanges(
  node: Extract<Node, { operator: string; left: Node; right: Node }>,
  text: string,
): Change[] {
  const { left, right, operator, start, end } = node;
  if (operator === '??')
    return [
      { kind: 'default removed', start, end, after: text.slice(left.start, left.end) },
      { kind: 'default always', start, end, after: text.slice(right.start, right.end) },
    ];
  const after = flipped[operator];
  if (after === undefined) return [];
  const place = text.indexOf(operator, left.end);
  const kind = node.type === 'LogicalExpression' ? '&& or ||' : 'comparison flipped';
  return [{ kind, start: place, end: place + operator.length, after }];
}

function isExit(statement: ESTree.Statement): boolean {
  if (statement.type === 'BlockStatement')
    return statement.body.length === 1 && statement.body.every(isExit);
  return /^(?:Return|Throw|Continue)Statement$/.test(statement.type);
}

const isCall = (node: ESTree.Expression): boolean =>
  node.type === 'CallExpression' || (node.type === 'AwaitExpression' && isCall(node.argument));

const isText = (node: Node): boolean => node.type === 'Literal' && typeof node.value === 'string';

/** What is changed as a literal, or is undefined anyway. */
const isPlain = (node: Node): boolean =>
  (node.type === 'Literal' &&
    (typeof node.value === 'boolean' || typeof node.value === 'number')) ||
  (node.type === 'Identifier' && node.name === 'undefined');
