/** What `-o` takes. */
export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
/** `short`, only what is not as it should be, is known to doctor alone. */
export type OutputFormat = (typeof outputFormats)[number] | 'short';

const forPeople: readonly OutputFormat[] = ['table', 'wide', 'short'];
export const isForPeople = (format: OutputFormat): boolean => forPeople.includes(format);
