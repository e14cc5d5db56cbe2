/// Keys, and tokens that another implementation (PyJWT 2.6) has signed with them.
#pragma once

#include <string_view>

namespace coronado::web_test {

inline constexpr std::string_view kJWTSecret =
    "a secret of more than sixty-four bytes, so that it is long enough for each of the HMACs";

inline constexpr std::string_view kRSAPrivate =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCFid2CIpsQv4rw\n"
    "nWCiNX58n3tBeiAxTvay7gWw7orHi0ay7RFENKstKjD+LwKH5ajAMeVZgVdpiD+y\n"
    "V7sEyiFvb+BA27wU5mu9FKtQaKvf8ZCjZg7t5ucsOqyMaJRCFZTHMv8uZuU4osgg\n"
    "uFd9LkQk6DPyym9yyKr5ApGDKMqD81FO5jhTbCOk7MMW4mHCxEaTibLuobVjaiv8\n"
    "cb8BEsY+/kiCYt/WIxkKr3Es/7Hwe6nvP91etPXN/nMoSiGT4FU4hU5zyx3F1yoS\n"
    "AVnRNqZbzSu4Q9sDGiNryG0GkZ1DARq/lKJ6A0IzFiz+qUdrX+5Bp3w+T3CppALj\n"
    "iziM1qN1AgMBAAECggEAGFHg4QPraLPxmluXD0OdyxWCbYzP0xsV68VUjQIMjUXM\n"
    "tOZe6CSNbjbKYGhwVg6Z2pLbuZ7ILCSPsSuwGDG1wCVIWpeKG+ZRBcj/YDAH6UuF\n"
    "s3RxUJtmS5RN+25KXfSvOU4M0kcUBOoEd40LBfXInE4bs+JxRJ7OIHZ6yL/Djh8d\n"
    "ObZoYW1DmUFRAMXWHSj2+IcNDApp9qjX66cTv6hb5i8Zc9Tb5jTDJCh7+a8jqgL8\n"
    "k8IfcbtBKxxD/byLwPjLYSBi+6lBszR+Uatco94PUwPmCaHSwcLKaoHoV+JtvKcD\n"
    "9tNL9BWolE9W9J74LmsSkO64fuZG2MX9yOZsdGNRkQKBgQC814B08aIAPT8U5+ML\n"
    "/m4mVVatInM7Bx9EcnXNk+3B2swqMuB8yCH6Ku9OMYzyzWKOJyV6hvhkkDiJMg+7\n"
    "Mm/bWAYM6gnjJV/LH+6hX8GNBYEjwiglBFNCPtfPwcum3L0VKxWm5CLachEar38b\n"
    "WfnBk/thnXakEgxB3vdPd64RbQKBgQC1B3RNqi+ybInS0N+i6u55AhxL1gm8hGfY\n"
    "/zYtneqcgQtQnqtkSV7lsZclPc7L8E30vWrYpEQwahZdkeFFOH4vWD0xIP6eMS/L\n"
    "27LGL9TBdeLTEYMIA0/utsXDYGds04fBCJ+9UpnAAUgXv095vF8QjGY52B03CmOn\n"
    "bpgFYJ6dKQKBgQC4bigRDqTPYwGm40pFvnnJinMaqJitv6jz6m3PF3iPaacYV5QT\n"
    "ikpUz3XkglRMFfb5KpZZ8lPJs2jj5Taj9wBz0qYmGrUJWMkT0t32UVTw671SNR+L\n"
    "94txGXsgdv70uoUYlXmSAyFfAyRdUaTsC5X3TxWmImlqmA3Mj3wt6o7giQKBgQCf\n"
    "033+V8QWrjcclmbryqlS0ucymT0tYGTjM6ecrLCHDnNz8TJ2r0SGXL2KFsCuU3Iw\n"
    "Is/jh1vgtrkaUYJm/9KAcFJOPsgt2FVPkZ+L1IztZOwm124tM+dtZZbCwSlu7m8L\n"
    "oVaO6w9tcnQ46yH647G2xY43gbOBdb24BC9ZiA1hyQKBgBchu5LtO+OINLigBCCM\n"
    "R8xlewtxzIxFgJyymFluJ6qgxJv7TiNv8XtgnxGVyLpncHHFr6PnVE8vmXpJ7yPs\n"
    "RG4e61ixj82yNLAzQ0npo20NHtaJMfWmlEZ6WBTdCX4EiXv/ICOAfCOuHRfagvoU\n"
    "AympX9WQ+az5g4oc9ThHncXf\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view kRSAPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAhYndgiKbEL+K8J1gojV+\n"
    "fJ97QXogMU72su4FsO6Kx4tGsu0RRDSrLSow/i8Ch+WowDHlWYFXaYg/sle7BMoh\n"
    "b2/gQNu8FOZrvRSrUGir3/GQo2YO7ebnLDqsjGiUQhWUxzL/LmblOKLIILhXfS5E\n"
    "JOgz8spvcsiq+QKRgyjKg/NRTuY4U2wjpOzDFuJhwsRGk4my7qG1Y2or/HG/ARLG\n"
    "Pv5IgmLf1iMZCq9xLP+x8Hup7z/dXrT1zf5zKEohk+BVOIVOc8sdxdcqEgFZ0Tam\n"
    "W80ruEPbAxoja8htBpGdQwEav5SiegNCMxYs/qlHa1/uQad8Pk9wqaQC44s4jNaj\n"
    "dQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kP256Private =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgz0Yk80aDeD+RNpWM\n"
    "8emLI6Y5CQ7gTQKl80WMprfx4IOhRANCAARAJEL/TyGIuHDvT9qS7uOELf5kqxXD\n"
    "4UcWKHRyVORP4ywy2fqGJAMGpq9teqsh2AZvr9KR2hH/oXZg+Ns8Ecr9\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view kP256Public =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQCRC/08hiLhw70/aku7jhC3+ZKsV\n"
    "w+FHFih0clTkT+MsMtn6hiQDBqavbXqrIdgGb6/SkdoR/6F2YPjbPBHK/Q==\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kP384Private =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAhXpfRkRW20dLoDVKq\n"
    "iqlyPQ4HR6F3EVTJwgEOcq0y9xAqweuDkqF/mn2FI8rJIq6hZANiAAQKh1Ir+2tQ\n"
    "chNFfrDdD0O+zntwsK4VQFXCep4Y/05+ItGrwrUsBH2LrsapAj58v1v2dhnXZD0Q\n"
    "WOr12GmTlZWZ3hrEwkD3T/i+JRHclVyA5I0s9WSupafVNwOhXbiYT58=\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view kP384Public =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAECodSK/trUHITRX6w3Q9Dvs57cLCuFUBV\n"
    "wnqeGP9OfiLRq8K1LAR9i67GqQI+fL9b9nYZ12Q9EFjq9dhpk5WVmd4axMJA90/4\n"
    "viUR3JVcgOSNLPVkrqWn1TcDoV24mE+f\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kP521Private =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAvXY5mcyHiD7kZrht\n"
    "/kP7tLlgKfSNt3ItFrqtKQHtZ5NDdcuZ+BWsvpSM8GM1hfHRfq/CKlZXrCzNdrCs\n"
    "Y3v5cyahgYkDgYYABAHY715hLCv4y/c0o+Hz7daQB9CsORF4nHYaSQ1YJBusimyc\n"
    "f/phi/G8UnwX02B0A8nj8QgY9LzFNcC3xuT1pzXiFwCqwWBGctEg6lbipS+JcHb6\n"
    "sl1G5hb6dWK9q5ljXCQDZty4+9zgK88gO7f2JnQMxobVi8EKwJyvxhketR8JcWN1\n"
    "Bg==\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view kP521Public =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB2O9eYSwr+Mv3NKPh8+3WkAfQrDkR\n"
    "eJx2GkkNWCQbrIpsnH/6YYvxvFJ8F9NgdAPJ4/EIGPS8xTXAt8bk9ac14hcAqsFg\n"
    "RnLRIOpW4qUviXB2+rJdRuYW+nVivauZY1wkA2bcuPvc4CvPIDu39iZ0DMaG1YvB\n"
    "CsCcr8YZHrUfCXFjdQY=\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kEd25519Private =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIP/zkLNI3VexdK26qjQILuVI3GE5bZvgDZDeZ6rUBk5P\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view kEd25519Public =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAdqG+uLetewChs4fIauJhMrA4rvzrAmDW7Ksr0/szj98=\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kWeakRSAPublic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC68gKx/g+71i0OgMS8+muVMUL3\n"
    "MZqLIEYS9Rzh8/zj/0Akgw+GmdbniWtNbb9qmdsl/hG7UG1lP3pqZ3d3FRYZofjU\n"
    "hzCvksNKHYSKhyvZpyRW9ACuxY5FPsdHfe35cIUesRlayviHabxr1w4giKH7RfDc\n"
    "4G9kNH81DOEbkiCZ5QIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

struct JWTVector {
  std::string_view algorithm;
  std::string_view private_key;  // empty: the secret
  std::string_view public_key;
  std::string_view token;
};

// {"iss": "https://issuer.example", "sub": "7", "aud": ["us", "them"], "exp": 1300000600,
//  "iat": 1300000000}
inline constexpr JWTVector kJWTVectors[] = {
    {"HS256",
     {},
     {},
     "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.wvutIAk6SdErm8PHXVs3mIKW8OCBxlqO4H7Wla7tTeI"},
    {"HS384",
     {},
     {},
     "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.IIrY-wldLtpthMSLxww1Dwby7_VESDwZxToSLG6NgFdiLjz5rqg426q6Jv9NOZIV"},
    {"HS512",
     {},
     {},
     "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.L-KRgFc9Cej9BjDgpNze25wtSJrqKyhjE4BEUBafzU088rFEfNa5qPReS5bw9PC_d7fXiaCl39"
     "fhGDWoyXGhuQ"},
    {"RS256", kRSAPrivate, kRSAPublic,
     "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.YSY5lE_mspdEFZT1btlypGVAaliVeEGqAitq_j4kVKK4NJyaCi8CXmVpsXeNeI0cJ-02UmgDs7"
     "Oe_TU2mKNpAd0cfVN0poCGk1j13OSsUka2ciYl_No6SFnkm8PZIOKTTlYgnLUXg7IPw9iYv-g4oFjAP7"
     "5TnnXvkoBXikncE8OP0QzmrS7bv12U9LDHcAsmmBmUzWgbJXQ9sDsLvlb2gyU1smUTFZgzAvsaiNIge1"
     "lEJU7l3yBsVK4CXZqCl-i-UjE3iqymqfSQ2dNvvZ53vYVaIKkRlSPC3VSDu9lVKV1DULnn1TFJqOFpb1"
     "ZGTIhk_sXtk0U1BGC0kTRFDBCC6A"},
    {"RS384", kRSAPrivate, kRSAPublic,
     "eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.gTIryQkhXerNTu3ov7kKP6vdSWTMm5jXNPNoPvkBSb91tes-PCxYB7LoGg8L4Hm1DDwO0TjKFf"
     "m8Usrz9fGMyAc9HYtr88OeKFsyc-gGjvvcQMZp1tRT6U-_gzhoIodqYKesD9X4-Uxs4Oh-gfqwTAW9_o"
     "BugfPrH01p_fyKavHC5SNvYxiRTRqfDURUEs4B776dZv3XUecVD8rm5RGTHrKaEePAVYPKIgWt_iyIzP"
     "KmhDtkywJAnFijGrSZvR2hO2t53cSXjl5vDyl-RRBaXyTrLnVPv828jm8C7oqBmVsGN19NC-oW9Ykfyr"
     "4T2OJzHAEEa6lpRRByyvGrgyNnvg"},
    {"RS512", kRSAPrivate, kRSAPublic,
     "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.AuiUC8jUngbE1O9dKKLviC9qBJNpJ7YYTuyDdblzGX9ApaFztFyiMMoE5jETcARfQTLaAs_klV"
     "rbAjCukpxsovwiJbWjJ9zeJ0ItQ5kv_SMKJIYRNVCq7y6SN9UuL7sIMGaktEsren3pXpvNSx0beBkKnq"
     "yT2g9oJsqQHPiElkRVtt4S6qh4KuS_Fsh-lq53dpgq21EnMnyFYeN95B1-55mr1Ptm5mh5016QuHUul0"
     "6nDZaLqVdWMOo1k5MaAnDDBwS-9dRYX31Djlo3DOME9q6IRwN4saL6HLLaaEwm7m1t8J-MSlPSLIoJVX"
     "bvnEiMjUEAVX6Fng-dS1sRVPE98w"},
    {"PS256", kRSAPrivate, kRSAPublic,
     "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.YwDt1WT2J2Rcvwr6Y4r4lvrqicK63JPNa9hkgjXlG151Cf-Q-Ei48DJas2yDi0ZzPPrxZilEAW"
     "M07Wfrm1E2fXJcyrjLBdvAxNlpkc7TpEjZzlYgrjSi-kEunslauTLMazdUb6jSLV7b0Z7CPFiTpWW25K"
     "a5vyprJea6EdX89FyRkQjdn-RaaFnSP3ahL14WX_QmywBlqTkVUmYHk0Ts264LArg5IfybcHc7i9Sa4C"
     "VW-7mhP1QMJcKVVI3p1Xx2B__EMdzO1jcXQ7GNkYmNwhjJnt6kwJXsfR98CEPqhRblPO9qSoV1ZIZiuM"
     "QRZtZhqrc5P_SBA2zCy03Jdyewag"},
    {"PS384", kRSAPrivate, kRSAPublic,
     "eyJhbGciOiJQUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.L_Fk2RLtnN3Z_3702xuuvPO5T-Ylrg1nuwjQ4VHVRsj2K-DGHX46e1JgfT1E9j5-w1BdqZID83"
     "6Jo8C2_7l_cXl0m2PUmpL4FJ3OCs44NYcaDvg1m2jiGz3jBSfBFvkP-KakT4GozWIPbOeinsue5BYeJx"
     "MF4eyHXXcPNFijYbZousRGyhp5aFZA-qZd0GJsh9rNOumjlYLDjIw2hgVWOfzSwDX889YZJYoRec23RY"
     "aJOzPNqs8L13bo7B-i5Vup1QLedJMZlQzJeQsDyrfoAa5H8yM-kYWmscIicVyQwqPbC4WH6NyyYr_oIm"
     "69LUKQ4uqFuGjrY9YzBIR4uXSaJg"},
    {"PS512", kRSAPrivate, kRSAPublic,
     "eyJhbGciOiJQUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.F0atJv9YO6bh1A1VExhOs_egeXHTkEgGHQp5fhHPFwxaxKsTPBKwUphMLoL3Yw-O5qRilikFcD"
     "yOQ9HF189f4y81lblonF8IIomS5CKgfs9LR1VjRMbszMXu1FIKPkZgbGy6-VYmdAvnr-_-CG0iASuk7_"
     "zsxGoee9xrVcQ9J_oCruNzCW0ZBnoskC4YKG5haaKrBv-e5vErU38MX_-w_h2Iqq2jfuPGeOTbVk_E4Z"
     "qZ4cB6D-BBArIzlmM8EJDpvKm8zHKQWf7ZLZ_WJoqM-Ajq1SxdqJ6VPN1NmbNTcKH9LDSDJXhk77sDvZ"
     "H-VbxmhN3N2I2Xl7DcpeFWcmenPQ"},
    {"ES256", kP256Private, kP256Public,
     "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.Aug9_-Sh8SNSBE78XSOO4JiZrq0rWrgIVPNzjbVQv8EmnBzTZtwlauxCxxQjrjxoekLInbVPA9"
     "R3fXLXni-cYQ"},
    {"ES384", kP384Private, kP384Public,
     "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.HvQDaLVRDFWx8LojS3V2mgG591ye_QomvnKivQkhLsyrFO-Y0ySAgVRPYp_-rKzxY324zNvkMW"
     "x_Z0x_3HYj4PoNK8mb5z4tCHWzQIVvUFuzW-OrszwqKzxH9p2Oj5fy"},
    {"ES512", kP521Private, kP521Public,
     "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.AFIMliWN5gCTvzPF2dAfsR2Pkraylppo03zBLKTxEXj-inTbtYs2GvLJV5MkPcOTNXMuykTNUT"
     "w_EAc_5ddWd_gkAEPjaSOTPCHXRGQ7gQZVqq9_ACnrbYWc_SNnD9Zy2Dh2ZP5Ycj8dOA-j41TlrrKf2z"
     "ahNBJl46_sCdKVvqvinxle"},
    {"EdDSA", kEd25519Private, kEd25519Public,
     "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
     "ic3ViIjoiNyIsImF1ZCI6WyJ1cyIsInRoZW0iXSwiZXhwIjoxMzAwMDAwNjAwLCJpYXQiOjEzMDAwMDA"
     "wMDB9.sT_HvAgOngcYzAebDvINOP9Nc7QGvaB1JI_3sesXuRTi7DQwgw048zelshYy0NNg9wJZ2mz4DT"
     "clxokzvwYoCw"},
};

}  // namespace coronado::web_test
