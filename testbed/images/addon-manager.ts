import { addonManager as manager } from '../ocm/hub/addon-manager.ts';
import { leading } from '../ocm/leadership.ts';
import { byCommand } from '../pod-runner/by-command.ts';
import { idle } from './idle.ts';

/** Stands in for Open Cluster Management's image `addon-manager`; nothing asks its webhook. */
export const addonManager = byCommand('addon', { manager: leading('manager', manager), 'webhook-server': idle });
