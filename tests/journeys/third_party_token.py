"""A token server of somebody else: keys and certificates by openssl, tokens by PyJWT.

Writes bundle.pem, keys.json and tokens.json into the folder that is named on the command line.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

folder = Path(sys.argv[1])
issuer, service = "a token server", "registry.example"
now = int(time.time())


def openssl(*words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def key(name, *how):
    openssl("genpkey", "-out", f"{name}.key", *how)


def curve(name):
    return "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{name}"


RSA = "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"


def certify(name, extensions, by=None):
    """A certificate of the key, signed by itself or by another."""
    (folder / f"{name}.ext").write_text(extensions)
    openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    signer = ["-signkey", f"{name}.key"] if by is None else ["-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial"]
    openssl("x509", "-req", "-in", f"{name}.csr", "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.crt", *signer)


AUTHORITY = "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n"
LEAF = "basicConstraints=CA:false\nkeyUsage=digitalSignature\n"
key("root", *RSA)
certify("root", AUTHORITY)
key("between", *curve("P-256"))
certify("between", AUTHORITY, by="root")
for name, how, by in [
    ("leaf-ec", curve("P-256"), "root"),
    ("leaf-rsa", RSA, "between"),
    ("own-ec", curve("P-256"), None),
    ("own-p384", curve("P-384"), None),
    ("own-p521", curve("P-521"), None),
    ("own-rsa", RSA, None),
    ("stranger", curve("P-256"), None),
]:
    key(name, *how)
    certify(name, LEAF, by)
key("set-ed25519", "-algorithm", "ED25519")
key("set-rsa", *RSA)
key("set-p521", *curve("P-521"))
known = ["root", "own-ec", "own-p384", "own-p521", "own-rsa"]
(folder / "bundle.pem").write_text("".join((folder / f"{name}.crt").read_text() for name in known))


def private(name):
    return load_pem_private_key((folder / f"{name}.key").read_bytes(), None)


def public_der(name):
    return private(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def libtrust(name):
    text = base64.b32encode(hashlib.sha256(public_der(name)).digest()[:30]).decode()
    return ":".join(text[i : i + 4] for i in range(0, 48, 4))


ALGORITHMS = {
    "EC": jwt.algorithms.ECAlgorithm,
    "RSA": jwt.algorithms.RSAAlgorithm,
    "OKP": jwt.algorithms.OKPAlgorithm,
}


def jwk(name, kind):
    return json.loads(ALGORITHMS[kind].to_jwk(private(name).public_key()))


def thumbprint(name, kind):
    found = jwk(name, kind)
    members = {"EC": ["crv", "kty", "x", "y"], "RSA": ["e", "kty", "n"]}[kind]
    text = json.dumps({member: found[member] for member in members}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def x5c(*names):
    certificates = [x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes()) for name in names]
    return [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in certificates]


secret = b"a secret of two servers, and long enough for every algorithm that there is"
keys = [
    {**jwk("set-ed25519", "OKP"), "kid": "ed"},
    {**jwk("set-rsa", "RSA"), "kid": "rsa"},
    {**jwk("set-p521", "EC"), "kid": "p521"},
    {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode()},
]
(folder / "keys.json").write_text(json.dumps({"keys": keys}))

pull = [{"type": "repository", "name": "a/b", "actions": ["pull"]}]
whole = {
    "iss": issuer, "sub": "alice", "aud": service, "exp": now + 3600, "nbf": now - 10, "iat": now, "jti": "1", "access": pull,
}
tokens = []


def add(name, good, header, signer, alg, claims=whole, both=True):
    """`good`: whether it opens a pull of a/b; `both`: whether distribution 2.8 can judge it."""
    signer = signer if isinstance(signer, bytes) else private(signer)
    tokens.append({"name": name, "good": good, "both": both, "token": jwt.encode(claims, signer, alg, header)})


def changed(**claims):
    return {name: value for name, value in {**whole, **claims}.items() if value is not None}


by_kid = {"kid": libtrust("own-ec")}
add("leaf by the root", True, {"x5c": x5c("leaf-ec")}, "leaf-ec", "ES256")
add("leaf by the root, with the root", True, {"x5c": x5c("leaf-ec", "root")}, "leaf-ec", "ES256")
add("leaf by one in between", True, {"x5c": x5c("leaf-rsa", "between")}, "leaf-rsa", "RS256")
add("leaf whose issuer is missing", False, {"x5c": x5c("leaf-rsa")}, "leaf-rsa", "RS256")
add("leaf of somebody else", False, {"x5c": x5c("stranger")}, "stranger", "ES256")
add("leaf of another key", False, {"x5c": x5c("leaf-ec")}, "stranger", "ES256")
for name, alg in [
    ("own-ec", "ES256"), ("own-p384", "ES384"), ("own-p521", "ES512"),
    ("own-rsa", "RS256"), ("own-rsa", "RS384"), ("own-rsa", "RS512"),
]:
    add(f"{name} by {alg} and its libtrust id", True, {"kid": libtrust(name)}, name, alg)
    add(f"{name} as {alg}, signed by another", False, {"kid": libtrust(name)},
        "set-rsa" if alg.startswith("RS") else {"ES256": "stranger", "ES384": "own-p384", "ES512": "set-p521"}[alg],
        alg) if alg != "ES384" else None
for alg in ["PS256", "PS384", "PS512"]:
    add(f"own-rsa by {alg}", True, {"kid": libtrust("own-rsa")}, "own-rsa", alg, both=False)
add("EC by its thumbprint", True, {"kid": thumbprint("own-ec", "EC")}, "own-ec", "ES256", both=False)
add("P-521 by its thumbprint", True, {"kid": thumbprint("own-p521", "EC")}, "own-p521", "ES512", both=False)
add("RSA by its thumbprint", True, {"kid": thumbprint("own-rsa", "RSA")}, "own-rsa", "RS256", both=False)
for kid, name, alg in [("ed", "set-ed25519", "EdDSA"), ("rsa", "set-rsa", "RS512"), ("p521", "set-p521", "ES512")]:
    add(f"{alg} of the key set", True, {"kid": kid}, name, alg, both=False)
for alg in ["HS256", "HS384", "HS512"]:
    add(f"{alg} by the shared secret", True, {"kid": "shared"}, secret, alg, both=False)
    add(f"{alg} by another secret", False, {"kid": "shared"}, secret + b".", alg, both=False)
add("HS256 by a secret, as another key", False, {"kid": "rsa"}, secret, "HS256", both=False)
add("unknown kid", False, {"kid": "nobody"}, "own-ec", "ES256")
add("no kid", False, {}, "own-ec", "ES256")
add("key of its own", False, {"jwk": jwk("stranger", "EC")}, "stranger", "ES256")
for claim, good in [
    ("iss", False), ("aud", False), ("exp", False),
    ("sub", True), ("nbf", True), ("iat", True), ("jti", True), ("access", False),
]:
    add(f"no {claim}", good, by_kid, "own-ec", "ES256", changed(**{claim: None}))
add("another issuer", False, by_kid, "own-ec", "ES256", changed(iss="another"))
add("another service", False, by_kid, "own-ec", "ES256", changed(aud="another"))
add("several services", True, by_kid, "own-ec", "ES256", changed(aud=["another", service]), both=False)
add("several other services", False, by_kid, "own-ec", "ES256", changed(aud=["another", "third"]), both=False)
add("over for long", False, by_kid, "own-ec", "ES256", changed(exp=now - 3600))
add("over for less than the leeway", True, by_kid, "own-ec", "ES256", changed(exp=now - 5))
add("not yet", False, by_kid, "own-ec", "ES256", changed(nbf=now + 3600))
add("another repository", False, by_kid, "own-ec", "ES256", changed(access=[{**pull[0], "name": "c/d"}]))
add("push alone", False, by_kid, "own-ec", "ES256", changed(access=[{**pull[0], "actions": ["push"]}]))
add("everything", True, by_kid, "own-ec", "ES256", changed(access=[{**pull[0], "actions": ["*"]}]))
add("with a class", True, by_kid, "own-ec", "ES256", changed(access=[{**pull[0], "class": "image"}]))
add("claims of its server's own", True, by_kid, "own-ec", "ES256",
    changed(auth_type="gitlab_or_ldap", user={"id": 1}, act={"sub": "somebody"}))


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(name, header, sign):
    signed = f"{part(header)}.{part(whole)}"
    signature = base64.urlsafe_b64encode(sign(signed.encode())).rstrip(b"=").decode()
    tokens.append({"name": name, "good": False, "both": True, "token": f"{signed}.{signature}"})


by_hand("none", {"alg": "none", "typ": "JWT", **by_kid}, lambda _: b"")
for name in ["own-ec", "own-rsa"]:
    pem = private(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for material in [pem, public_der(name)]:
        header = {"alg": "HS256", "typ": "JWT", "kid": libtrust(name)}
        by_hand(f"HS256 by the public key of {name}", header, lambda text: hmac.digest(material, text, "sha256"))
(folder / "tokens.json").write_text(json.dumps(tokens))
