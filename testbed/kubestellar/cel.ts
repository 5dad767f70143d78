import { type Context, Environment, ParseError } from '@marcbachmann/cel-js';

/** The names available in expressions of StatusCollectors (kubestellar pkg/status/cel-evaluator.go). */
export interface CelContent {
  obj?: unknown;
  returned?: unknown;
  inventory?: unknown;
  propagation?: unknown;
}

const environment = new Environment({ unlistedVariablesAreDyn: false })
  .registerVariable('obj', 'map')
  .registerVariable('returned', 'map')
  .registerVariable('inventory', 'map')
  .registerVariable('propagation', 'map');

/** Tokens that may begin an expression, as cel-go's parser lists them. */
const beginnings =
  "{'[', '{', '(', ')', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Throws an Error if an expression is invalid, as far as that can be known, in the words of KubeStellar. */
export function checkExpression(text: string): void {
  try {
    environment.parse(text);
  } catch (error) {
    throw new Error(`failed to parse expression: ${inGoWords(error as Error, text)}`);
  }
  const { error } = environment.check(text);
  if (error) throw new Error(`failed to check expression: ${inGoWords(error, text)}`);
}

/** Evaluates an expression; whole numbers are returned as bigint. */
export function evaluate(text: string, content: CelContent): unknown {
  checkExpression(text);
  try {
    return environment.evaluate(text, withIntegers(content) as Context);
  } catch (error) {
    const { summary } = error as ParseError;
    throw new Error(`failed to evaluate expression: ${summary.replace(/^No such key/, 'no such key')}`);
  }
}

/** Whole numbers of JSON are integers to Kubernetes. */
function withIntegers(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withIntegers(item)]));
}

/**
 * An error in a one-line expression in the form of cel-go. For an unfinished expression it has cel-go's words; for others only its
 * form.
 */
function inGoWords(error: Error, text: string): string {
  const { summary = error.message, range } = error as Partial<ParseError>;
  const at = range?.start ?? 0;
  const variable = /^Unknown variable: (.*)$/.exec(summary)?.[1];
  let what = error instanceof ParseError ? `Syntax error: ${summary}` : summary;
  if (summary === 'Unexpected token: EOF') what = `Syntax error: mismatched input '<EOF>' expecting ${beginnings}`;
  if (variable !== undefined) what = `undeclared reference to '${variable}' (in container '')`;
  const place = Math.min(at, text.length);
  return `ERROR: <input>:1:${place + 1}: ${what}\n | ${text}\n | ${'.'.repeat(place)}^`;
}
