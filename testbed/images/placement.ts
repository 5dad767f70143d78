import { placementController } from '../ocm/hub/placement-controller.ts';
import { leading } from '../ocm/leadership.ts';
import { byCommand } from '../pod-runner/by-command.ts';

/** Stands in for Open Cluster Management's image `placement`. */
export const placement = byCommand('placement', { controller: leading('placement', placementController) });
