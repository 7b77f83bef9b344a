import { ListenError } from './listen-error.js';
import type * as Uws from 'uWebSockets.js';
import { CIPHERS_TLS12, type TlsMaterial } from '../tls/tls-material.js';

/** What the types of the package lack, though the library has it. */
interface WholeLibrary {
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}
interface WholeApp {
  listen(
    host: string,
    port: number,
    options: number,
    listening: (token: Uws.us_listen_socket | false) => void,
  ): void;
  getDescriptor(): unknown;
  addChildAppDescriptor(descriptor: unknown): void;
  removeChildAppDescriptor(descriptor: unknown): void;
}

/**
 * The apps behind one port. The library can not give an app another certificate. But an app can
 * hand the connections that it accepts to another one: so with TLS the first only listens, and the
 * newest gets what comes. A port that is never closed loses no connection.
 */
export class UwsApps {
  readonly #library: typeof Uws;
  readonly #equip: (app: Uws.TemplatedApp) => void;
  readonly #listener: Uws.TemplatedApp;
  readonly #apps = new Set<Uws.TemplatedApp>();
  #newest: Uws.TemplatedApp | undefined;
  #socket: Uws.us_listen_socket | undefined;

  /** `equip` gives an app its routes. Throws if the files of `tls` cannot be used. */
  constructor(
    library: typeof Uws,
    tls: TlsMaterial | undefined,
    equip: (app: Uws.TemplatedApp) => void,
  ) {
    this.#library = library;
    this.#equip = equip;
    this.#listener = tls ? library.SSLApp(optionsOf(tls)) : library.App();
    if (tls) this.renewTls(tls);
    else equip(this.#listener);
  }

  get port(): number {
    return this.#library.us_socket_local_port(this.#socket as unknown as Uws.us_socket);
  }

  listen(host: string, port: number): Promise<void> {
    // Without this option a second store would share the port, and half of the requests with it.
    const { LIBUS_LISTEN_EXCLUSIVE_PORT } = this.#library as unknown as WholeLibrary;
    return new Promise((resolve, reject) => {
      whole(this.#listener).listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, (token) => {
        if (token) {
          this.#socket = token;
          resolve();
        } else reject(new ListenError({ host, port }, 'is the port in use?'));
      });
    });
  }

  /**
   * Has new connections served by a new app; old ones stay with theirs as long as they last. The
   * library never frees an app: a renewal costs 35 KB.
   */
  renewTls(tls: TlsMaterial): void {
    const app = this.#library.SSLApp(optionsOf(tls));
    this.#equip(app);
    const listener = whole(this.#listener);
    const former = this.#newest;
    listener.addChildAppDescriptor(whole(app).getDescriptor());
    if (former) listener.removeChildAppDescriptor(whole(former).getDescriptor());
    this.#newest = app;
    this.#apps.add(app);
  }

  stopListening(): void {
    if (this.#socket) this.#library.us_listen_socket_close(this.#socket);
  }

  /** Closes all connections. */
  close(): void {
    this.#listener.close();
    for (const app of this.#apps) app.close();
  }
}

function optionsOf({ certFile, keyFile, clientCaFile }: TlsMaterial): Uws.AppOptions {
  return {
    cert_file_name: certFile,
    key_file_name: keyFile,
    ssl_ciphers: CIPHERS_TLS12,
    ...(clientCaFile !== '' && { ca_file_name: clientCaFile }),
  };
}

function whole(app: Uws.TemplatedApp): WholeApp {
  return app as unknown as WholeApp;
}
