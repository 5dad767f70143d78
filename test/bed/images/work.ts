import { allowed, serveAdmission } from '../ocm/hub/admission.ts';
import { byCommand } from '../pod-runner/by-command.ts';
import { idle } from './idle.ts';

/** Stands in for Open Cluster Management's image `work`: the webhook allows everything, the agent does nothing yet. */
export const work = byCommand('work', {
  agent: idle,
  'webhook-server': (context) => serveAdmission(context, async () => allowed),
});
