import { allowed, serveAdmission } from '../ocm/hub/admission.ts';
import { leading } from '../ocm/leadership.ts';
import { workAgent } from '../ocm/work/agent.ts';
import { byCommand } from '../pod-runner/by-command.ts';

/** Stands in for Open Cluster Management's image `work`: the webhook allows everything. */
export const work = byCommand('work', {
  agent: leading('work-agent', workAgent),
  'webhook-server': (context) => serveAdmission(context, async () => allowed),
});
