/** Who may be connected to. */
export interface AddressRules {
  /** `host`: as it was asked for (a name, or the address itself); `address`: what it resolved to. */
  permits(target: {
    readonly host: string;
    readonly address: string;
    readonly port: number;
  }): boolean;
}
