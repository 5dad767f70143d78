import type { AnyObject } from '../kube/objects.ts';

/** Fields set by the API server of a WDS, which are not sent. Times stay: agents leave them out. */
const ownFields = [
  'managedFields',
  'finalizers',
  'generation',
  'ownerReferences',
  'selfLink',
  'resourceVersion',
  'uid',
  'generateName',
];

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object of a WDS as sent (kubestellar pkg/transport/generic, TransformObject). */
export function manifestOf(original: AnyObject): AnyObject {
  const { status: _, ...manifest } = structuredClone(original);
  const metadata = manifest.metadata as AnyObject['metadata'] & Record<string, unknown>;
  for (const field of ownFields) delete metadata[field];
  delete metadata.annotations?.[lastApplied];
  if (Object.keys(metadata.annotations ?? {}).length === 0) delete metadata.annotations;
  if (manifest.apiVersion === 'v1' && manifest.kind === 'Service') cleanService(manifest);
  if (manifest.apiVersion === 'batch/v1' && manifest.kind === 'Job') cleanJob(manifest);
  return manifest;
}

const serviceFields = [
  'ipFamilies',
  'externalTrafficPolicy',
  'internalTrafficPolicy',
  'ipFamilyPolicy',
  'sessionAffinity',
];

function cleanService({ metadata, ...more }: AnyObject): void {
  const spec = more.spec as Record<string, unknown> & { clusterIPs?: string[]; ports?: { nodePort?: number | null }[] };
  for (const field of serviceFields) delete spec[field];
  if (spec.clusterIP !== 'None') delete spec.clusterIP;
  if (!spec.clusterIPs?.includes('None')) delete spec.clusterIPs;
  const keepsPorts = metadata.annotations?.['control.kubestellar.io/preserve'] === 'nodeport';
  if (!keepsPorts) for (const port of spec.ports ?? []) port.nodePort = null;
}

function cleanJob({ metadata, ...more }: AnyObject): void {
  const spec = more.spec as { selector?: unknown; suspend?: unknown; template?: { metadata?: AnyObject['metadata'] } };
  delete spec.selector;
  delete spec.suspend;
  delete metadata.annotations?.['batch.kubernetes.io/job-tracking'];
  for (const labels of [metadata.labels, spec.template?.metadata?.labels]) {
    delete labels?.['controller-uid'];
    delete labels?.['batch.kubernetes.io/controller-uid'];
  }
}
