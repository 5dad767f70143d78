import type { LocalTools } from '../../lib/spaces/create-local-cluster.ts';
import type { Session } from './session.ts';

/** Returns what the library needs for local clusters. @param wecKubeconfig file for their contexts, if separate from all others */
export function localTools(session: Session, wecKubeconfig?: string): LocalTools {
  const { run, programs, record, kubeconfigTarget: own } = session;
  return {
    run,
    programs,
    target: wecKubeconfig === undefined ? own : { ...own, file: wecKubeconfig },
    connect: (context) => session.connect(context),
    record: run.dryRun ? record : undefined,
  };
}
