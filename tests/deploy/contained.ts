// Runs a service of the composition as an engine for containers would, without one: as the image's
// user without any right of root, on a read-only machine, with its own /tmp and its own volume.

import { chownSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { canHide } from "#tests/binary/binary";
import { image, type Service } from "./deploy-files.ts";

/** The folder that the image's volume is mounted at, and where it stands in for it here. */
const home = { image: "/var/lib/noetl", here: "/mnt/home" };

const mounts = [
  "mount -t tmpfs tmpfs /mnt",
  "mkdir /mnt/bin /mnt/home",
  'mount --bind "$1" /mnt/bin',
  'mount --bind "$2" /mnt/home',
  '{ test "$3" = rw || mount -o remount,bind,ro /mnt/home; }',
  'mount -t tmpfs -o "$4" tmpfs /tmp',
  "mount -o remount,bind,ro /",
  "cd /mnt/home",
  "shift 4",
  'exec "$@"',
].join(" && ");

const withoutRights = [
  ...["setpriv", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"],
  "--pdeathsig=KILL",
];

export interface Contained {
  readonly service: Service;
  readonly binary: string;
  /** What its volume holds, or where it would be if it has none. */
  readonly volume: string;
  /** Over the image's and the service's own, with addresses that are there. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What stands before a command of the image. Where nobody may mount, it is started as it is. */
export function contained({ service, binary, volume, environment }: Contained): readonly string[] {
  mkdirSync(volume, { recursive: true });
  const pairs = (path: string, cwd: string): readonly string[] =>
    Object.entries({ PATH: `${path}:/usr/bin:/bin`, HOME: cwd, ...environment }).map(
      ([name, value]) => `${name}=${value.replaceAll(home.image, cwd)}`,
    );
  if (!canHide) return ["env", "-C", volume, "-i", ...pairs(dirname(binary), volume)];
  const [user = "", group = user] = image().user.split(":");
  chownSync(volume, Number(user), Number(group));
  const isWritable = service.volumes?.some((text) => text.endsWith(`:${home.image}`)) === true;
  const options = service.tmpfs?.find((text) => text.startsWith("/tmp:"))?.slice("/tmp:".length);
  // An engine allows no programs on such a folder unless it is told to.
  const temporary = options?.includes("exec") === true ? options : `noexec,${options ?? ""}`;
  return [
    ...["unshare", "--mount", "sh", "-c", mounts, "sh", dirname(binary), volume],
    ...[isWritable ? "rw" : "ro", temporary],
    ...[...withoutRights, `--reuid=${user}`, `--regid=${group}`],
    ...["env", "-i", ...pairs("/mnt/bin", home.here)],
  ];
}
