import type { Api } from '../kube/api.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import { manifestWorks } from '../kube/resources.ts';
import { RestMapper } from '../kube/rest-mapper.ts';
import { runTransportController } from '../kubestellar/transport-controller.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { withLastWords } from './last-words.ts';

/** The default limits of one work: objects, and their bytes. */
const most = 512_000;

/** Stands in for KubeStellar's transport controller (pkg/transport/generic/cmd): needs an ITS that serves works. */
export async function ocmTransportController(context: PodContext): Promise<void> {
  const { args, log, setReady, signal } = context;
  const flag = (name: string) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  const wds = spaceOf(context, flag('--wds-kubeconfig'), 'WDS');
  const its = spaceOf(context, flag('--transport-kubeconfig'), 'transport');
  await withLastWords(
    () => new RestMapper(its).resourceFor(manifestWorks),
    'failed to construct transport controller: failed to get wrapped object GVR - failed to discover GroupVersionResource from given GroupVersionKind - ',
  );
  setReady(true);
  log('starting transport controller');
  const limits = {
    objects: Number(flag('--max-num-wrapped') || most),
    bytes: Number(flag('--max-size-wrapped') || most),
  };
  await runTransportController({ wds, its, wdsName: flag('--wds-name'), limits, signal, log });
}

function spaceOf({ connect, readFile }: PodContext, path: string, title: string): Api {
  const text = readFile(path);
  if (!text) throw new Exit(`unable to build ${title} kubeconfig: stat ${path}: no such file or directory`);
  return connect(readCurrentContext(text).connection);
}
