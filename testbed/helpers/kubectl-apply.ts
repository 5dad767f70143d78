import { parse, parseAllDocuments, stringify } from 'yaml';
import { Api, keyOf } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import type { AnyObject } from '../kube/objects.ts';

/** KubeFlex's domain, whose names refer to this machine, even if nothing resolves them. */
const domain = /\.localtest\.me$/;

/**
 * A stand-in for `kubectl --context CONTEXT apply -f FILE`, for machines without it.
 * @returns its output, one line per object
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
