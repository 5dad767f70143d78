import { type Check, type Outcome, pass, skipped, warn } from '../core/checks.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SpaceRole } from '../ocm/kubeflex-names.ts';
import { readHookVersions } from '../ocm/program-versions.ts';
import { versionsApart } from '../ocm/version-words.ts';
import type { ItsInside } from './its-contents.ts';
import type { Space } from './space-stages.ts';
import { spaceVersions } from './space-versions.ts';
import { unreachedSpaces } from './unreached-spaces.ts';
import type { WdsInside } from './wds-stages.ts';

/** A space, and the hosting cluster whose hooks define its expected versions. */
interface InstalledSpace {
  space: Space<ItsInside | WdsInside>;
  hosting: Kube;
}

export const versionChecks = (role: SpaceRole): readonly Check<InstalledSpace>[] => [
  {
    ...{ id: `${role}-versions`, title: 'it runs the versions of the installed hooks' },
    run: judgeVersions,
  },
];

async function judgeVersions({ space, hosting }: InstalledSpace): Promise<Outcome> {
  const versions = spaceVersions(space, await readHookVersions(hosting)).filter(({ wanted }) => wanted !== null);
  const apart = versionsApart(space.name, versions);
  const [unseen] = versions.flatMap((version) => version.notVisible ?? []);
  if (apart === undefined) return unseen === undefined ? pass() : skipped(unseen);
  const { next = [] } = (await unreachedSpaces(hosting, false)).find(({ name }) => name === space.name) ?? {};
  return warn('versions-apart', apart, ...next);
}
