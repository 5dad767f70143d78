// biome-ignore-all lint/suspicious/noControlCharactersInRegex: terminals are told colours by them
/** A text that differs between runs, and its replacement: the address of a server, a folder. */
export interface Known {
  text: string;
  as: string;
}

/**
 * What differs between runs and is not known beforehand. A fixed word must hide nothing else: each pattern is as narrow as the
 * output of the commands.
 */
const patterns: readonly [RegExp, string][] = [
  // Wait messages appear every 15 s: whether any appears depends on the machine. This is the only line that is left out.
  [/^\S+: still waiting after [\dms.]+(?:: .*)?\n/gm, ''],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uid>'],
  // The beginning of an ID: of an agent, of a cluster; and of a request's key.
  [/\bagent [0-9a-f]{8}\b/g, 'agent <uid>'],
  [/\b[0-9a-f]{8}…/g, '<uid>…'],
  [/(<uid>, key )[0-9a-f]{8}\b/g, '$1<key>'],
  [/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g, '<certificate>'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  // Durations: `after 1.4s`, on a terminal `   1.4s`.
  [/\bafter (?:\d+\.\d|\d+m\d+)s/g, 'after <duration>'],
  [/ {3}((?:\u001b\[\d+m)*)\d+\.\ds/g, '   $1<duration>'],
  // Ages: in a sentence, after a condition, in a table cell, whose column is as wide as its widest cell.
  [/\b\d+(?:s|m|m\d+s) ago\b/g, '<age> ago'],
  [/([✓✗•·](?:\u001b\[\d+m)* \w+) \d+(?:s|m|m\d+s)(?= ·|$)/gm, '$1 <age>'],
  [/( {3})\d+(?:s|m|m\d+s)$/gm, '$1<age>'],
  [/(?<= {3})\d+(?:s|m|m\d+s) {3,}(?=\S)/g, '<age>   '],
  [/ ago\) {3,}(?=\S)/g, ' ago)   '],
  [/\b(AGE|LEASE) {3,}(?=\S)/g, '$1   '],
  // Where a list of conditions is wrapped depends on their ages.
  [/(?<=^ {2}conditions {2}(?:.|\n {14})*)\n {14}(?:\u001b\[\d+m)*✓(?:\u001b\[\d+m)* /gm, ' · '],
  // The hub adds it some time after the Lease of a new WEC.
  [/ · ManagedClusterConditionClockSynced <age>/g, ''],
  // In the evidence of doctor, and in the reason of a fix.
  [/ \(\d+(?:s|m|m\d+s)\)$/gm, ' (<age>)'],
  [/\bits Lease for \d+(?:s|m|m\d+s)\b/g, 'its Lease for <age>'],
  // The hub's hash, of its address.
  [/\b[0-9a-f]{64}\b/g, '<hash>'],
  // Whether the machine resolves names of spaces: unit tests see both.
  [/This machine does not resolve \S+\.localtest\.me: (?=kubectl)/g, ''],
  [/ --server https:\/\/127\.0\.0\.1:\S+ --tls-server-name \S+\.localtest\.me(?= )/g, ''],
  // The name of a report, the number of its files (a restarted container has two logs), and the size of its archive.
  [/\bstellarctl-report-\d{8}T\d{6}\b/g, 'stellarctl-report-<date>'],
  [/: \d+ files of ([^\n]*), \d+ kB$/gm, ': <number> files of $1, <size> kB'],
  // The same in JSON: numbers, so that the document stays one.
  [/(?<=^ +"(?:bytes|files)": )\d+(?=,?$)/gm, '0'],
  // The port at which other machines reach a space.
  [/-control-plane:3\d{4}\b/g, '-control-plane:<node port>'],
  // Suffixes that Kubernetes generates: of a pod, of anything created with `generateName`.
  [
    /-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5} {3,}(?=\S)/g,
    '-<hash>-<random>   ',
  ],
  [/-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '-<hash>-<random>'],
  [/\b-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '-<random>'],
];

/** Lines of columns: where an age is inside a cell, the next column begins where the age ends. */
const tables = /(?:^.*\S {3,}\S.*\n)+/gm;

/** Replaces what differs between runs by fixed words. Longer texts are replaced before texts that they contain. */
export function normalise(text: string, known: readonly Known[]): string {
  const longestFirst = known.toSorted((a, b) => b.text.length - a.text.length);
  const named = longestFirst.reduce((rest, { text: word, as }) => rest.replaceAll(word, as), text);
  const words = patterns
    .reduce((rest, [pattern, as]) => rest.replace(pattern, as), named)
    .replace(tables, (table) =>
      table.includes(' ago)   ') ? table.replace(/(?<=\S) {4,}(?=\S)/g, '   ') : table,
    );
  return listsOfWorks.reduce(
    (rest, pattern) =>
      rest.replace(
        pattern,
        (_, start: string, objects: string, end: string) =>
          start + objects.split(', ').sort().join(', ') + end,
      ),
    words,
  );
}

/**
 * What becomes of the objects of a deleted policy on a WEC, and what a WEC runs. They are listed in the order of their works, whose
 * names are random.
 */
const listsOfWorks = [
  /^( {2}\S+ {3})([^:\n]+?)( will be removed\.| stay, without an owner\.)$/gm,
  /^( {2}runs +\d+ works of [^:\n]+: )([^\n]+)()$/gm,
];

/** A stage that a subject has reached: stages reached between two reads are reported in no fixed order. */
const reached = /^(\S+): .* after <duration>$/;
/** A write, as `verb resource name`: programs write several objects of one kind at once. */
const write = /^(\S+ \S+) \S+$/;

/** Sorts adjacent stages or writes whose order varies. */
export function inOrder(text: string, what: 'reached' | 'written'): string {
  const pattern = what === 'reached' ? reached : write;
  const keyOf = (line: string) => pattern.exec(line)?.[1];
  const groups: string[][] = [];
  let last: string | undefined;
  for (const line of text.split('\n')) {
    const key = keyOf(line);
    if (key !== undefined && key === last) groups.at(-1)?.push(line);
    else groups.push([line]);
    last = key;
  }
  return groups.flatMap((group) => group.sort()).join('\n');
}

/**
 * How often KubeFlex is asked to reconcile depends on time, as does who deletes a space's namespace, the garbage collector or the tool,
 * whether an agent exits without releasing its Lease, and whether it has to be made to look at a deleted work.
 */
export const untimed = (writes: string) =>
  writes
    .replace(/^(patch controlplanes \S+\n)\1+/gm, '$1')
    .replace(
      /^(?:delete (?:namespaces \S+-system|leases \S+-agent-lock)|patch appliedmanifestworks \S+)\n?/gm,
      '',
    );
