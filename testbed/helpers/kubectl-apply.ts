import { parse, parseAllDocuments, stringify } from 'yaml';
import { Api, keyOf } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import type { AnyObject } from '../kube/objects.ts';

/** KubeFlex's domain, whose names lead to the machine itself, also where nothing resolves them. */
const domain = /\.localtest\.me$/;

/**
 * What `kubectl --context CONTEXT apply -f FILE` does, for machines that have none.
 * @returns what it prints, a line for each object
 */
export async function kubectlApply(kubeconfig: string, context: string, file: string): Promise<string[]> {
  const chosen = { ...(parse(kubeconfig) as object), 'current-context': context };
  const { connection } = readCurrentContext(stringify(chosen));
  const api = new Api({
    ...connection,
    dial: (host, port) => ({ host: domain.test(host) ? '127.0.0.1' : host, port, address: `${host}:${port}` }),
  });
  const lines: string[] = [];
  for (const document of parseAllDocuments(file)) {
    const object = document.toJS() as AnyObject;
    await apply(api, object);
    lines.push(`${object.kind?.toLowerCase()}/${keyOf(object)} serverside-applied`);
  }
  return lines;
}
