import { serveAdmission } from '../ocm/hub/registration-webhook.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { idle } from './idle.ts';

/** Stands in for Open Cluster Management's image `work`: `/work webhook-server` allows everything, `/work agent` does nothing yet. */
export async function work(context: PodContext): Promise<void> {
  if (context.args[1] === 'webhook-server') await serveAdmission(context, async () => ({ allowed: true }));
  else await idle(context);
}
