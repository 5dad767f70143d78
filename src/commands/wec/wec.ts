import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { defineGroup } from '../shell/options.ts';
import { acceptCommand } from './accept.ts';
import { createWecCommand } from './create.ts';
import { deleteWecCommand } from './delete.ts';
import { deregisterCommand } from './deregister.ts';
import { getCommand } from './get.ts';
import { grantCommand } from './grant.ts';
import { joinCommand } from './join.ts';
import { labelCommand } from './label.ts';
import { listCommand } from './list.ts';
import { propertiesCommand } from './properties.ts';
import { revokeCommand } from './revoke.ts';
import { waitCommand } from './wait.ts';

export const wecGroup = (io: Io): Command =>
  defineGroup('wec', 'Commands for Workload Execution Clusters (WECs): the clusters that workloads run on.', [
    createWecCommand(io),
    joinCommand(io),
    acceptCommand(io),
    labelCommand(io),
    propertiesCommand(io),
    listCommand(io),
    getCommand(io),
    waitCommand(io),
    grantCommand(io),
    revokeCommand(io),
    deregisterCommand(io),
    deleteWecCommand(io),
  ]);
