import { parseAllDocuments } from 'yaml';
import { StellarError } from '../../engine/errors.ts';
import { readNamedOrStdin } from '../../files/named-file.ts';
import type { BindingPolicy, PolicySpec } from '../policies/policy.ts';

/** Reads the BindingPolicy in a file, which may have other objects beside it. @throws StellarError `usage` */
export async function readPolicyFile(
  file: string,
  stdin: NodeJS.ReadableStream,
): Promise<{ name: string; spec: PolicySpec }> {
  return parsePolicy(await readNamedOrStdin(file, 'policy', stdin), file);
}

/** @param source what the text is called in errors */
function parsePolicy(text: string, source: string): { name: string; spec: PolicySpec } {
  const documents = parseAllDocuments(text);
  const broken = documents.flatMap(({ errors }) => errors)[0];
  if (broken !== undefined) throw new StellarError('usage', `${source} is not YAML: ${broken.message.split('\n')[0]}.`);
  const policies = documents
    .map((document) => document.toJS() as BindingPolicy | null)
    .filter((object) => object?.kind === 'BindingPolicy');
  const [policy] = policies;
  if (policies.length !== 1 || !policy?.metadata?.name)
    throw new StellarError(
      'usage',
      `${source} has ${policies.length === 0 ? 'no' : 'more than one'} BindingPolicy with a name in it.`,
    );
  return { name: policy.metadata.name, spec: policy.spec ?? {} };
}
