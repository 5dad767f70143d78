import type { Definition } from '../common/define.ts';

export const definition: Definition = {
  description: 'Prints the JSON Schema of the file, with which editors complete and check it.',
  formats: ['json', 'yaml'],
  examples: [
    [
      'stellarctl fleet schema > fleet.schema.json',
      'where the first line of `fleet export` expects it',
    ],
  ],
  async run(session) {
    const { fleetSchema } = await import('../../lib/fleet/fleet-schema.ts');
    const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...fleetSchema };
    // The rules are functions, which JSON does not have.
    const document = JSON.parse(JSON.stringify(schema)) as object;
    await session.printDocument(document, { format: session.output === 'yaml' ? 'yaml' : 'json' });
  },
};
