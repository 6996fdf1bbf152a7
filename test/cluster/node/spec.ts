/** A program that a node keeps running. */
export interface Component {
  name: string;
  command: string[];
  /**
   * What must answer before it is started: `unix:<path>` and `tcp:<address>:<port>` by accepting a connection,
   * `ready:<address>:<port>` by saying on https /readyz that it is.
   */
  after?: string[];
}

/** All that a node's first process must know; the host writes it to `node.json` in the node's folder. */
export interface NodeSpec {
  name: string;
  /** The node's folder on the host: configuration, logs, control socket. */
  folder: string;
  /** The block device with the file system of the cluster, and where this node mounts it. */
  device: string;
  disk: string;
  /** Folders of the host that must stay reachable under their own paths. */
  keep: string[];
  /** Content of /etc/hosts. */
  hosts: string;
  components: Component[];
}

export interface ComponentStatus {
  name: string;
  /** Not set while it does not run. */
  pid?: number;
  /** How often it ended without having been told to. */
  failures: number;
  /** Set while `stop` keeps it from running. */
  stopped: boolean;
}

/** What a node tells about itself: it is ready for use once its mounts are made. */
export interface NodeStatus {
  name: string;
  components: ComponentStatus[];
}
