/** Characters that a POSIX shell passes on unchanged. */
const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word of a command line, quoted for a POSIX shell if needed. */
export function shellWord(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A command that a user or a script can run as it is: each inserted value becomes one word, a list one word per item. An empty list
 * also drops the space before it.
 * Values from a cluster must reach a shell only through this function.
 */
export function command(parts: TemplateStringsArray, ...values: readonly (string | readonly string[])[]): string {
  return parts.reduce((line, part, index) => {
    const value = values[index - 1] ?? '';
    if (typeof value !== 'string' && value.length === 0) return `${line.trimEnd()}${part}`;
    return `${line}${typeof value === 'string' ? shellWord(value) : value.map(shellWord).join(' ')}${part}`;
  });
}

let programName = 'stellarctl';

/** Records at startup how the user calls this program: as a kubectl plugin it is `kubectl stellar`. */
export function callProgram(name: string): void {
  programName = name;
}

/**
 * A command for people to type: one of this program carries the name that the user calls it by.
 */
export const asCalled = (line: string): string => line.replace(/^stellarctl(?= )/, programName);
