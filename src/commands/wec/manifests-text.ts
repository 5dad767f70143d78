import { command } from '../../lib/engine/command-line.ts';
import { run, textOf } from '../../lib/engine/next-step.ts';
import type { HubAccess } from '../../lib/wecs/hub/hub-access.ts';
import { joinManifests, tokenPlaceholder } from '../../lib/wecs/join/manifests.ts';
import type { JoinOptions } from '../../lib/wecs/join/options.ts';
import type { Session } from '../shell/session.ts';

/** Prints what a join would apply, as a List in JSON or as documents of YAML. */
export async function printManifests(
  session: Session,
  access: HubAccess,
  name: string,
  options: JoinOptions,
): Promise<void> {
  const objects = await joinManifests(access, name, options, session.run);
  if (session.output === 'json') {
    await session.printDocument({ apiVersion: 'v1', kind: 'List', items: objects }, { format: 'json' });
  } else {
    for (const object of objects) await session.printDocument(object, { format: 'yaml', isOneOfMany: true });
  }
  const token = command`stellarctl its token -o json --its ${access.its}`;
  session.progress.note(textOf(run(token, command`Put a token in place of ${tokenPlaceholder}`)));
}
