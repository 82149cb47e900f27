/**
 * A key pair for tests only, for `localhost`, `127.0.0.1` and `*.kennel.test`, signed by itself and trusted by nobody:
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=kennel-test -addext …`
 */

export const ORIGIN_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKvVVmkbzumzJyWHf
dd4nF/Rr6Bt7lPlSE1t4kubSNCqhRANCAATXg7RkYU1anOgivhGfWCJogAnV176F
XJCwJ3xlG9Wx13/Pt0wWrc9tKSUfqg9aL3uHnmxB9Dp0a7+TkBfdxM74
-----END PRIVATE KEY-----
`;

export const ORIGIN_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBrjCCAVSgAwIBAgIUKhAKe6MeesUn4xLh81JzQFSjYlIwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLa2VubmVsLXRlc3QwIBcNMjYxMTIxMTIzODU3WhgPMjEyNjEw
MjgxMjM4NTdaMBYxFDASBgNVBAMMC2tlbm5lbC10ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE14O0ZGFNWpzoIr4Rn1giaIAJ1de+hVyQsCd8ZRvVsdd/z7dM
Fq3PbSklH6oPWi97h55sQfQ6dGu/k5AX3cTO+KN+MHwwHQYDVR0OBBYEFDR8SN2m
s/Znzq1QbOFOGqrjM9/NMB8GA1UdIwQYMBaAFDR8SN2ms/Znzq1QbOFOGqrjM9/N
MA8GA1UdEwEB/wQFMAMBAf8wKQYDVR0RBCIwIIIJbG9jYWxob3N0gg0qLmtlbm5l
bC50ZXN0hwR/AAABMAoGCCqGSM49BAMCA0gAMEUCIQDWtnKnQNTPSXM599xGzNv0
bIZDYSU2vOJuMqBiTCTSNgIgJ/PIETrYNb/oC/1FevwBQdtzIRqBP9IhXjaJBc+5
lr0=
-----END CERTIFICATE-----
`;
