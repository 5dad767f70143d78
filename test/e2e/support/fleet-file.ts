import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Cli } from './harness.ts';

interface FleetWec {
  name: string;
  context?: string;
  labels?: Record<string, string>;
  properties?: Record<string, string>;
}

export interface FleetFile {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spaces?: { its: object[]; wds?: object[] };
  wecs: FleetWec[];
}

/** @param more its spaces, if it has any */
export const fleetOf = (
  wecs: FleetWec[],
  more: Partial<Pick<FleetFile, 'spaces'>> = {},
): FleetFile => ({
  apiVersion: 'stellarctl.kubestellar.io/v1alpha1',
  kind: 'Fleet',
  metadata: { name: 'prod' },
  ...more,
  wecs,
});

/** Writes it into the home of a command line. @returns the place */
export async function saveFleet({ home }: Cli, file: FleetFile): Promise<string> {
  const place = path.join(home, 'fleet.yaml');
  await writeFile(place, stringify(file));
  return place;
}
