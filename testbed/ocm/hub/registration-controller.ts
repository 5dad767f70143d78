import type { PodContext } from '../../pod-runner/program.ts';
import { runAcceptance } from './acceptance.ts';
import { runCsrApproval } from './csr-approval.ts';
import { runGarbageCollection } from './garbage-collection.ts';
import { HubCache } from './hub-cache.ts';
import { runLeases } from './leases.ts';
import { runTaints } from './taints.ts';

/**
 * Stands in for `registration controller`, the hub's side of registration (ocm pkg/registration/hub). Its controllers
 * are one file each, and share one cache of what they watch.
 */
export async function registrationController(context: PodContext): Promise<void> {
  const autoApprovedUsers = flag(context.args, '--auto-approved-csr-users')?.split(',') ?? [];
  const accepts = flag(context.args, '--feature-gates')?.includes('ManagedClusterAutoApproval=true') ?? false;
  const cache = new HubCache(context);
  runAcceptance(cache, { acceptsEveryCluster: accepts });
  runLeases(cache);
  runTaints(cache);
  runGarbageCollection(cache);
  runCsrApproval(cache, { autoApprovedUsers: accepts ? autoApprovedUsers : [] });
  await cache.synced;
  context.setReady(true);
  await cache.done;
}

function flag(args: readonly string[], name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}
