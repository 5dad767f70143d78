/** What `-o` takes. */
export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export const isForPeople = (format: OutputFormat): boolean => format === 'table' || format === 'wide';
