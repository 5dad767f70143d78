/** What a POSIX shell passes on as it is. */
const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word of a command line, quoted for a POSIX shell where that is needed. */
export function shellWord(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A command that a person or a script can run as it is: every value that is filled in becomes one word, a list one word each; of an
 * empty list the space before it is left out as well.
 * What comes from a cluster must not reach a shell in any other way.
 */
export function command(parts: TemplateStringsArray, ...values: readonly (string | readonly string[])[]): string {
  return parts.reduce((line, part, index) => {
    const value = values[index - 1] ?? '';
    if (typeof value !== 'string' && value.length === 0) return `${line.trimEnd()}${part}`;
    return `${line}${typeof value === 'string' ? shellWord(value) : value.map(shellWord).join(' ')}${part}`;
  });
}

let programName = 'stellarctl';

/** Says, when the process starts, how the user calls this program: as a plugin of kubectl it is `kubectl stellar`. */
export function callProgram(name: string): void {
  programName = name;
}

/** A command for people to type, one or several joined by `&&`: those of this program as the user calls it. */
export const asCalled = (line: string): string => line.replaceAll(/(?<=^|&& )stellarctl(?= )/g, programName);
