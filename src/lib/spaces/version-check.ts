import { type Check, type Outcome, pass, skipped, warn } from '../engine/checks.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SpaceRole } from '../model/kubeflex-names.ts';
import { readHookVersions } from '../versions/programs.ts';
import { versionsApart } from '../versions/version-words.ts';
import { spaceVersions } from './space-versions.ts';
import type { ItsInside } from './stages/its-contents.ts';
import type { Space } from './stages/space-stages.ts';
import type { WdsInside } from './stages/wds-stages.ts';
import { unreachedSpaces } from './unreached-spaces.ts';

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
