import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../config/config-error.js';
import type { TransportConfig } from '../config/transport-config.js';

/** What changes a process' user and group: those of `process`, but in tests. */
export interface ProcessIds {
  getuid(): number;
  getgid(): number;
  setuid(id: number): void;
  setgid(id: number): void;
  setgroups(groups: readonly number[]): void;
  /** Gives the process all groups of a user, and `extraGroup`. */
  initgroups(user: string, extraGroup: number): void;
}

/** Numbers of a user and a group; `name` is how the system knows the user, '' for not at all. */
interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/**
 * Makes the process that of another user and group, in all its threads and for good. Groups first,
 * as the user may not change them any more. Returns whether anything was to be done.
 *
 * @throws ConfigError if there is no such user or group, or if the process may not change to it.
 */
export function dropPrivileges(
  { user, group }: Pick<TransportConfig, 'user' | 'group'>,
  ids: ProcessIds = process as unknown as ProcessIds,
): boolean {
  if (user === '' && group === '') return false;
  const account = findAccount(user, group, ids);
  const isRoot = ids.getuid() === 0;
  if (account.uid === ids.getuid() && account.gid === ids.getgid() && !isRoot) return false;
  const setting = user === '' ? 'main.group' : 'main.user';
  if (!isRoot) {
    const message =
      `only root may change to user ${account.uid} and group ${account.gid}, and this process runs ` +
      `as user ${ids.getuid()} and group ${ids.getgid()}; start it as root, or remove the setting`;
    throw new ConfigError([{ path: setting, message }]);
  }
  try {
    if (account.name === '') ids.setgroups([account.gid]);
    else ids.initgroups(account.name, account.gid);
    ids.setgid(account.gid);
    ids.setuid(account.uid);
  } catch (cause) {
    const message = `the change to user ${account.uid} and group ${account.gid} failed: ${String(cause)}`;
    throw new ConfigError([{ path: setting, message }], { cause });
  }
  if (account.uid !== 0) assertNoWayBack(ids);
  return true;
}

/**
 * Sees to it that a folder, or the one above in which it is to be made, can be written to. Who finds
 * that out hours later, when the first file is written, has lost what was to be in it.
 *
 * @throws ConfigError if not.
 */
export function assertWritable(directory: string, setting: string): void {
  let path = resolve(directory);
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const message = `"${path}" cannot be written to by user ${process.getuid?.()}; give it to that user`;
    throw new ConfigError([{ path: setting, message }], { cause });
  }
}

/** A store that can become root again has dropped nothing. */
function assertNoWayBack(ids: ProcessIds): void {
  try {
    ids.setuid(0);
  } catch {
    return;
  }
  throw new Error('the process could become root again after it had dropped its privileges');
}

/** Without a group it is the user's first; without a user he stays who he is. */
function findAccount(user: string, group: string, ids: ProcessIds): Account {
  const gidOfGroup = group === '' ? undefined : numberOf('main.group', group, groupNumber);
  if (user === '') return { uid: ids.getuid(), gid: gidOfGroup!, name: '' };
  const uid = numberOf('main.user', user, (name) => Number(ask(['-u', '--', name])));
  const name = nameOf(uid);
  if (gidOfGroup !== undefined) return { uid, gid: gidOfGroup, name };
  if (name === '') {
    const message = `user ${uid} has no name and so no group of its own; set main.group as well`;
    throw new ConfigError([{ path: 'main.user', message }]);
  }
  return { uid, gid: Number(ask(['-g', '--', name])), name };
}

/** A number stands for itself. */
function numberOf(path: string, text: string, find: (name: string) => number): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  try {
    return find(text);
  } catch (cause) {
    const message = `"${text}" is not known to this system; name one that is, or a number`;
    throw new ConfigError([{ path, message }], { cause });
  }
}

function nameOf(uid: number): string {
  try {
    return ask(['-un', '--', String(uid)]);
  } catch {
    return '';
  }
}

/**
 * From the system's own tools: users of clusters are in directories such as LDAP more often than in
 * /etc/passwd, and Node asks for those of others nowhere.
 */
function ask(options: readonly string[]): string {
  return execFileSync('id', options, { encoding: 'utf8', stdio: 'pipe' }).trim();
}

function groupNumber(name: string): number {
  const entry = execFileSync('getent', ['group', '--', name], { encoding: 'utf8', stdio: 'pipe' });
  return Number(entry.split(':')[2]);
}
