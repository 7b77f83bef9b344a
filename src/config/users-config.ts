import type { ConfigProblem } from './config-error.js';

/** Someone who shows a name and a password. */
export interface UserConfig {
  /** Hash of the password, as `scripts/passwd` makes it. */
  readonly password: string;
  readonly roles: readonly string[];
  /** Clusters that all roles are limited to; undefined = all. */
  readonly clusters: readonly string[] | undefined;
}

/** Section `metricshard.users` of a file that passed the schema. */
export type FileUsers = Readonly<
  Record<
    string,
    {
      readonly password: string;
      readonly roles: readonly string[];
      readonly clusters?: readonly string[];
    }
  >
>;

/** Names are in the log, and counted by. */
const NAME_CHARS_MAX = 128;

export function usersOf(file: FileUsers | undefined): Readonly<Record<string, UserConfig>> {
  return Object.fromEntries(
    Object.entries(file ?? {}).map(([name, { password, roles, clusters }]) => [
      name,
      { password, roles, clusters },
    ]),
  );
}

/** What is wrong about users whose settings each are right. */
export function userProblems(
  users: Readonly<Record<string, UserConfig>>,
  roles: Readonly<Record<string, unknown>>,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [name, user] of Object.entries(users)) {
    const path = `metricshard.users.${name}`;
    // What Basic could not carry, or would carry in several ways.
    if (!/^[^:\p{Cc}\s]+$/u.test(name) || name.length > NAME_CHARS_MAX) {
      const message = `a name has 1 to ${NAME_CHARS_MAX} characters, and no colon or blank among them`;
      problems.push({ path, message });
    }
    for (const role of user.roles.filter((role) => !Object.hasOwn(roles, role))) {
      const known = Object.keys(roles).join(', ');
      problems.push({
        path: `${path}.roles`,
        message: `there is no role "${role}"; known are ${known}`,
      });
    }
  }
  return problems;
}
