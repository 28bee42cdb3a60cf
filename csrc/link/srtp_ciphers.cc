// The ciphers of libsrtp over OpenSSL's EVP.
//
// Debian builds libsrtp2 on NSS, which loads modules at run time and so cannot be part of a self-contained
// extension. Its ciphers live in archive members of their own; defining the same symbols here means that those
// members, and NSS with them, are never linked. srtp_init() runs libsrtp's known-answer tests on what is below.

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace {

constexpr int kSaltLength = 14;      // RFC 3711, section 4.3.1: the 112-bit session salt
constexpr int kBlockLength = 16;     // one AES block
constexpr int kGcmNonceLength = 12;  // RFC 7714, section 8.1
constexpr int kSha1Length = 20;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using Mac = std::unique_ptr<EVP_MAC, Deleter<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Deleter<EVP_MAC_CTX_free>>;

// Wraps State into libsrtp's handle; ownership passes to libsrtp until it calls Release.
template <typename State>
srtp_err_status_t Hand(srtp_cipher_t** out, const srtp_cipher_type_t& type, int algorithm, int key_length,
                       State state) {
  std::unique_ptr<srtp_cipher_t> cipher(new (std::nothrow) srtp_cipher_t{&type, nullptr, key_length, algorithm});
  if (!cipher || !state.context) return srtp_err_status_alloc_fail;
  cipher->state = new (std::nothrow) State(std::move(state));
  if (cipher->state == nullptr) return srtp_err_status_alloc_fail;
  *out = cipher.release();
  return srtp_err_status_ok;
}

template <typename State>
srtp_err_status_t Release(srtp_cipher_t* cipher) {
  delete static_cast<State*>(cipher->state);
  delete cipher;
  return srtp_err_status_ok;
}

srtp_err_status_t Ok(bool good, srtp_err_status_t otherwise) { return good ? srtp_err_status_ok : otherwise; }

// --- AES in counter mode (RFC 3711) ----------------------------------------------------------------------------

struct CounterMode {
  const EVP_CIPHER* algorithm;
  CipherContext context{EVP_CIPHER_CTX_new()};
  std::array<uint8_t, kBlockLength> salt{};  // the last two octets count blocks and start at zero
};

srtp_err_status_t CounterInit(void* opaque, const uint8_t* key) {
  auto& state = *static_cast<CounterMode*>(opaque);
  std::memcpy(state.salt.data(), key + EVP_CIPHER_get_key_length(state.algorithm), kSaltLength);
  return Ok(EVP_EncryptInit_ex(state.context.get(), state.algorithm, nullptr, key, nullptr) == 1,
            srtp_err_status_init_fail);
}

srtp_err_status_t CounterSetIv(void* opaque, uint8_t* iv, srtp_cipher_direction_t) {
  auto& state = *static_cast<CounterMode*>(opaque);
  std::array<uint8_t, kBlockLength> counter;
  for (int i = 0; i < kBlockLength; ++i) counter[i] = state.salt[i] ^ iv[i];
  return Ok(EVP_EncryptInit_ex(state.context.get(), nullptr, nullptr, nullptr, counter.data()) == 1,
            srtp_err_status_cipher_fail);
}

srtp_err_status_t CounterCrypt(void* opaque, uint8_t* data, unsigned int* length) {
  auto& state = *static_cast<CounterMode*>(opaque);
  int produced = 0;
  if (EVP_EncryptUpdate(state.context.get(), data, &produced, data, static_cast<int>(*length)) != 1)
    return srtp_err_status_cipher_fail;
  *length = static_cast<unsigned int>(produced);
  return srtp_err_status_ok;
}

// --- AES in Galois counter mode (RFC 7714) ---------------------------------------------------------------------

struct GaloisMode {
  const EVP_CIPHER* algorithm;
  int tag_length;
  CipherContext context{EVP_CIPHER_CTX_new()};
};

srtp_err_status_t GaloisInit(void* opaque, const uint8_t* key) {
  auto& state = *static_cast<GaloisMode*>(opaque);
  return Ok(EVP_CipherInit_ex(state.context.get(), state.algorithm, nullptr, key, nullptr, 1) == 1,
            srtp_err_status_init_fail);
}

srtp_err_status_t GaloisSetIv(void* opaque, uint8_t* iv, srtp_cipher_direction_t direction) {
  auto* context = static_cast<GaloisMode*>(opaque)->context.get();
  const bool good =
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, kGcmNonceLength, nullptr) == 1 &&
      EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, iv, direction == srtp_direction_encrypt ? 1 : 0) == 1;
  return Ok(good, srtp_err_status_cipher_fail);
}

srtp_err_status_t GaloisSetAad(void* opaque, const uint8_t* aad, uint32_t length) {
  auto& state = *static_cast<GaloisMode*>(opaque);
  int produced = 0;
  return Ok(EVP_CipherUpdate(state.context.get(), nullptr, &produced, aad, static_cast<int>(length)) == 1,
            srtp_err_status_cipher_fail);
}

srtp_err_status_t GaloisEncrypt(void* opaque, uint8_t* data, unsigned int* length) {
  auto* context = static_cast<GaloisMode*>(opaque)->context.get();
  int produced = 0, rest = 0;
  const bool good = EVP_CipherUpdate(context, data, &produced, data, static_cast<int>(*length)) == 1 &&
                    EVP_CipherFinal_ex(context, data + produced, &rest) == 1;
  return Ok(good, srtp_err_status_cipher_fail);
}

srtp_err_status_t GaloisGetTag(void* opaque, uint8_t* tag, uint32_t* length) {
  auto& state = *static_cast<GaloisMode*>(opaque);
  *length = static_cast<uint32_t>(state.tag_length);
  return Ok(EVP_CIPHER_CTX_ctrl(state.context.get(), EVP_CTRL_AEAD_GET_TAG, state.tag_length, tag) == 1,
            srtp_err_status_algo_fail);
}

srtp_err_status_t GaloisDecrypt(void* opaque, uint8_t* data, unsigned int* length) {
  auto& state = *static_cast<GaloisMode*>(opaque);
  auto* context = state.context.get();
  const int text_length = static_cast<int>(*length) - state.tag_length;
  if (text_length < 0) return srtp_err_status_auth_fail;
  int produced = 0, rest = 0;
  const bool good = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, state.tag_length, data + text_length) == 1 &&
                    EVP_CipherUpdate(context, data, &produced, data, text_length) == 1 &&
                    EVP_CipherFinal_ex(context, data + produced, &rest) == 1;
  if (!good) return srtp_err_status_auth_fail;
  *length = static_cast<unsigned int>(text_length);
  return srtp_err_status_ok;
}

// --- HMAC-SHA1 -------------------------------------------------------------------------------------------------

struct HmacSha1 {
  MacContext context;
};

srtp_err_status_t HmacAlloc(srtp_auth_t** out, int key_length, int out_length);

srtp_err_status_t HmacRelease(srtp_auth_t* auth) {
  delete static_cast<HmacSha1*>(auth->state);
  delete auth;
  return srtp_err_status_ok;
}

srtp_err_status_t HmacInit(void* opaque, const uint8_t* key, int key_length) {
  char digest[] = "SHA1";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  auto& state = *static_cast<HmacSha1*>(opaque);
  return Ok(EVP_MAC_init(state.context.get(), key, static_cast<size_t>(key_length), parameters) == 1,
            srtp_err_status_auth_fail);
}

srtp_err_status_t HmacStart(void* opaque) {
  auto& state = *static_cast<HmacSha1*>(opaque);
  return Ok(EVP_MAC_init(state.context.get(), nullptr, 0, nullptr) == 1, srtp_err_status_auth_fail);
}

srtp_err_status_t HmacUpdate(void* opaque, const uint8_t* data, int length) {
  auto& state = *static_cast<HmacSha1*>(opaque);
  return Ok(EVP_MAC_update(state.context.get(), data, static_cast<size_t>(length)) == 1, srtp_err_status_auth_fail);
}

srtp_err_status_t HmacCompute(void* opaque, const uint8_t* data, int length, int tag_length, uint8_t* tag) {
  auto& state = *static_cast<HmacSha1*>(opaque);
  std::array<uint8_t, kSha1Length> digest;
  size_t produced = 0;
  const bool good = tag_length <= kSha1Length && HmacUpdate(opaque, data, length) == srtp_err_status_ok &&
                    EVP_MAC_final(state.context.get(), digest.data(), &produced, digest.size()) == 1;
  if (!good) return srtp_err_status_auth_fail;
  std::memcpy(tag, digest.data(), static_cast<size_t>(tag_length));
  return srtp_err_status_ok;
}

}  // namespace

// --- The symbols libsrtp looks for -----------------------------------------------------------------------------

extern "C" {

extern const srtp_cipher_test_case_t srtp_aes_icm_128_test_case_0;
extern const srtp_cipher_test_case_t srtp_aes_icm_192_test_case_0;
extern const srtp_cipher_test_case_t srtp_aes_icm_256_test_case_0;
extern const srtp_cipher_test_case_t srtp_aes_gcm_128_test_case_0;
extern const srtp_cipher_test_case_t srtp_aes_gcm_256_test_case_0;
extern const srtp_auth_test_case_t srtp_hmac_test_case_0;

extern const srtp_cipher_type_t srtp_aes_icm_128, srtp_aes_icm_192, srtp_aes_icm_256;
extern const srtp_cipher_type_t srtp_aes_gcm_128, srtp_aes_gcm_256;
extern const srtp_auth_type_t srtp_hmac;

// The records through which libsrtp switches its debug output; same layout as its private header's.
struct srtp_debug_module {
  int on;
  const char* name;
};
extern srtp_debug_module srtp_mod_aes_icm, srtp_mod_aes_gcm, srtp_mod_hmac;
srtp_debug_module srtp_mod_aes_icm = {0, "aes icm openssl"};
srtp_debug_module srtp_mod_aes_gcm = {0, "aes gcm openssl"};
srtp_debug_module srtp_mod_hmac = {0, "hmac sha-1 openssl"};

}  // extern "C"

namespace {

srtp_err_status_t CounterAlloc(srtp_cipher_t** out, int key_length, int) {
  switch (key_length) {
    case SRTP_AES_ICM_128_KEY_LEN_WSALT:
      return Hand(out, srtp_aes_icm_128, SRTP_AES_ICM_128, key_length, CounterMode{EVP_aes_128_ctr()});
    case SRTP_AES_ICM_192_KEY_LEN_WSALT:
      return Hand(out, srtp_aes_icm_192, SRTP_AES_ICM_192, key_length, CounterMode{EVP_aes_192_ctr()});
    case SRTP_AES_ICM_256_KEY_LEN_WSALT:
      return Hand(out, srtp_aes_icm_256, SRTP_AES_ICM_256, key_length, CounterMode{EVP_aes_256_ctr()});
    default:
      return srtp_err_status_bad_param;
  }
}

srtp_err_status_t GaloisAlloc(srtp_cipher_t** out, int key_length, int tag_length) {
  constexpr int kShortTag = 8, kFullTag = 16;
  if (tag_length != kShortTag && tag_length != kFullTag) return srtp_err_status_bad_param;
  switch (key_length) {
    case SRTP_AES_GCM_128_KEY_LEN_WSALT:
      return Hand(out, srtp_aes_gcm_128, SRTP_AES_GCM_128, key_length, GaloisMode{EVP_aes_128_gcm(), tag_length});
    case SRTP_AES_GCM_256_KEY_LEN_WSALT:
      return Hand(out, srtp_aes_gcm_256, SRTP_AES_GCM_256, key_length, GaloisMode{EVP_aes_256_gcm(), tag_length});
    default:
      return srtp_err_status_bad_param;
  }
}

srtp_err_status_t HmacAlloc(srtp_auth_t** out, int key_length, int out_length) {
  if (key_length > kSha1Length || out_length > kSha1Length) return srtp_err_status_bad_param;
  const Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  if (!mac) return srtp_err_status_alloc_fail;
  MacContext context(EVP_MAC_CTX_new(mac.get()));
  std::unique_ptr<srtp_auth_t> auth(new (std::nothrow)
                                        srtp_auth_t{&srtp_hmac, nullptr, out_length, key_length, /*prefix_len=*/0});
  if (!context || !auth) return srtp_err_status_alloc_fail;
  auth->state = new (std::nothrow) HmacSha1{std::move(context)};
  if (auth->state == nullptr) return srtp_err_status_alloc_fail;
  *out = auth.release();
  return srtp_err_status_ok;
}

constexpr srtp_cipher_type_t CounterType(const char* description, const srtp_cipher_test_case_t* test,
                                         srtp_cipher_type_id_t id) {
  return {CounterAlloc, Release<CounterMode>, CounterInit, nullptr, CounterCrypt, CounterCrypt, CounterSetIv,
          nullptr,      description,          test,        id};
}

constexpr srtp_cipher_type_t GaloisType(const char* description, const srtp_cipher_test_case_t* test,
                                        srtp_cipher_type_id_t id) {
  return {GaloisAlloc,
          Release<GaloisMode>,
          GaloisInit,
          GaloisSetAad,
          GaloisEncrypt,
          GaloisDecrypt,
          GaloisSetIv,
          GaloisGetTag,
          description,
          test,
          id};
}

}  // namespace

const srtp_cipher_type_t srtp_aes_icm_128 =
    CounterType("AES-128 counter mode (OpenSSL)", &srtp_aes_icm_128_test_case_0, SRTP_AES_ICM_128);
const srtp_cipher_type_t srtp_aes_icm_192 =
    CounterType("AES-192 counter mode (OpenSSL)", &srtp_aes_icm_192_test_case_0, SRTP_AES_ICM_192);
const srtp_cipher_type_t srtp_aes_icm_256 =
    CounterType("AES-256 counter mode (OpenSSL)", &srtp_aes_icm_256_test_case_0, SRTP_AES_ICM_256);
const srtp_cipher_type_t srtp_aes_gcm_128 =
    GaloisType("AES-128 GCM (OpenSSL)", &srtp_aes_gcm_128_test_case_0, SRTP_AES_GCM_128);
const srtp_cipher_type_t srtp_aes_gcm_256 =
    GaloisType("AES-256 GCM (OpenSSL)", &srtp_aes_gcm_256_test_case_0, SRTP_AES_GCM_256);

const srtp_auth_type_t srtp_hmac = {HmacAlloc,
                                    HmacRelease,
                                    HmacInit,
                                    HmacCompute,
                                    HmacUpdate,
                                    HmacStart,
                                    "HMAC-SHA1 (OpenSSL)",
                                    &srtp_hmac_test_case_0,
                                    SRTP_HMAC_SHA1};
