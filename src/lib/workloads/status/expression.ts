/**
 * A partial CEL check without the grammar. It finds unterminated strings and brackets, operators without a value, and values
 * without an operator. KubeStellar's controller parses what passes.
 */

const blank = /(?:\s|\/\/[^\n]*)+/y;
const string =
  /(?:[rR][bB]?|[bB][rR])(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n]*"|'[^'\n]*')|[bB]?(?:"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/y;
const value = /[A-Za-z_]\w*|0[xX][\da-fA-F]+[uU]?|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?[uU]?/y;
const operator = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y;

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Returns why a text is not a valid CEL expression; undefined if no error is found. */
export function expressionProblem(text: string): string | undefined {
  const open: { bracket: string; mayBeEmpty: boolean }[] = [];
  /** The previous token; undefined at the beginning. */
  let last: string | undefined;
  /** Whether a value must follow, not an operator. */
  let isOpen = true;
  for (let at = 0; at < text.length; ) {
    const skipped = match(blank, text, at);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    const literal = match(string, text, at) ?? match(value, text, at);
    const token = literal ?? match(operator, text, at);
    const problem = `it cannot go on with ${JSON.stringify(token ?? text[at])}${last === undefined ? '' : ` after ${JSON.stringify(last)}`}`;
    if (token === undefined) return problem;
    if (literal !== undefined && literal !== 'in') {
      if (!isOpen) return problem;
      isOpen = false;
    } else if (token in closing) {
      if (token === '{' && !isOpen && !/^\w+$/.test(last ?? '')) return problem;
      open.push({ bracket: token, mayBeEmpty: token === '{' || (token === '(') !== isOpen });
      isOpen = true;
    } else if (Object.values(closing).includes(token)) {
      const { bracket = '', mayBeEmpty = false } = open.pop() ?? {};
      const isComplete = !isOpen || (last === bracket && mayBeEmpty) || (last === ',' && bracket !== '(');
      if (closing[bracket] !== token || !isComplete) return problem;
      isOpen = false;
    } else {
      if (token === '!' ? !isOpen : isOpen && token !== '-' && (token !== '.' || last === '.')) return problem;
      isOpen = true;
    }
    last = token;
    at += token.length;
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) return `${JSON.stringify(unclosed.bracket)} is not closed`;
  return isOpen ? 'it ends where a value is expected' : undefined;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
