import type { LocalTools } from '../../lib/local-clusters/create.ts';
import type { Session } from '../shell/session.ts';

/** What the library takes for work on local clusters. Their contexts are kept where those of WECs are. */
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
