import type { RecordedWrite } from '../../lib/kube/client/dry-run.ts';

/** What a dry run has left out, as a line for people. */
export function describeWrite({ verb, cluster, kind, namespace, name }: RecordedWrite): string {
  const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  return `would ${verb} ${object} ${cluster === 'the kubeconfig' ? 'in' : 'on'} ${cluster}`;
}
