#include <openssl/crypto.h>
#include <opus/opus.h>
#include <srtp2/srtp.h>

#include <string>

#include "bindings/bindings.h"

namespace telnyx {

namespace {

// "libopus 1.3.1" without the name.
std::string Number(const std::string& version) { return version.substr(version.find(' ') + 1); }

// As the libraries tell them; libwebrtc has no version, so setup.py reads the date of its source from the archive.
py::dict Versions() {
  py::dict versions;
  versions["libwebrtc"] = TELNYX_NATIVE_LIBWEBRTC_DATE;
  versions["openssl"] = OpenSSL_version(OPENSSL_VERSION_STRING);
  versions["opus"] = Number(opus_get_version_string());
  versions["libsrtp"] = Number(srtp_get_version_string());
  return versions;
}

}  // namespace

void BindVersions(py::module_& module) {
  module.def("versions", &Versions);
  module.attr("linked") = TELNYX_NATIVE_LINKED;  // `make advisories` looks for it in the file
}

}  // namespace telnyx
