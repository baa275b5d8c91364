pub fn write(_folder: &std::path::Path) -> anyhow::Result<()> { Ok(()) }
