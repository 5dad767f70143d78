import { klog } from '../../images/klog.ts';
import { ApiError } from '../../kube/errors.ts';
import { readCurrentContext } from '../../kube/kubeconfig.ts';
import type { ConfigMap, Pod } from '../../kube/objects.ts';
import { configMaps, pods } from '../../kube/resources.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { Fatal } from '../leadership.ts';

/**
 * A program of OCM whose `--kubeconfig` gives it no rights: it looks for its owner, then for the authorities of clients, and ends
 * (library-go pkg/controller/controllercmd). In the words of v1.3.1, which was run against a plane.
 */
export async function startWithoutRights({ args, readFile, connect, log }: PodContext, path: string): Promise<never> {
  const namespace = args.find((arg) => arg.startsWith('--namespace='))?.slice('--namespace='.length) ?? '';
  const api = connect(readCurrentContext(readFile(path) ?? '').connection);
  log(klog('W', 'cmd.go:257', 'Using insecure, self-signed certificates'));
  log(klog('I', 'observer_polling.go:159', 'Starting file observer'));
  const owner = await failureOf(() => api.list<Pod>(pods, { namespace }));
  log(klog('W', 'builder.go:272', `unable to get owner reference (falling back to namespace): ${owner}`));
  const why = await failureOf(() => api.get<ConfigMap>(configMaps, 'kube-system/extension-apiserver-authentication'));
  const what = 'unable to load configmap based request-header-client-ca-file';
  throw new Fatal(klog('F', 'cmd.go:182', `error initializing delegating authentication: ${what}: ${why}`));
}

/** In the words of client-go. @throws Error if it succeeds: the real program would go on */
async function failureOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof ApiError && error.status === 401 ? 'Unauthorized' : (error as Error).message;
  }
  throw new Error('the stand-in knows only a kubeconfig without rights');
}
