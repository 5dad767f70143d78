/** The content of a list entry, keys as in the file. */
export type Entry = Record<string, unknown>;
