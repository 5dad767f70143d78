import type { LocalTools } from '../../lib/local-clusters/create.ts';
import type { Session } from './session.ts';

/** What the library takes for work on local clusters. @param wecKubeconfig where their contexts are kept, if not with all others */
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
