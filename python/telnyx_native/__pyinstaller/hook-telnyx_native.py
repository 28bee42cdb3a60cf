"""Modules are found when they are first used, and the gateway's sounds and pages are files: all of them come along."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

datas = collect_data_files("telnyx_native")
hiddenimports = collect_submodules(
    "telnyx_native",
    filter=lambda name: not name.startswith(("telnyx_native.integrations", "telnyx_native.__pyinstaller")),
)
