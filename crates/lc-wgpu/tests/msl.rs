//! Every shader with every set of constants becomes the Metal source that was reviewed. `LC_WRITE_MSL=1` writes the files
//! anew; what changed shows in the diff.

use lc_wgpu::ops::shaders;
use naga::back::{PipelineConstants, msl, pipeline_constants, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use std::fmt::Write as _;
use std::path::PathBuf;

/// A number as it may stand in a file's name.
fn plain(value: f64) -> String {
    format!("{value}").replace('.', "_")
}

fn file(shader: &str, constants: &[(&str, f64)]) -> String {
    let mut name = shader.to_owned();
    for (key, value) in constants {
        write!(name, "-{}{}", key.to_lowercase(), plain(*value)).expect("a string takes it");
    }
    name + ".metal"
}

fn validate(module: &naga::Module, what: &str) -> ModuleInfo {
    Validator::new(ValidationFlags::all(), Capabilities::all())
        .validate(module)
        .unwrap_or_else(|e| panic!("{what}: {}", e.emit_to_string("")))
}

/// A shader with its constants in place.
fn resolve(source: &str, constants: &[(&str, f64)], what: &str) -> (naga::Module, ModuleInfo) {
    let module =
        naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{what}: {}", e.emit_to_string(source)));
    let info = validate(&module, what);
    let values: PipelineConstants = constants.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let entry = Some((naga::ShaderStage::Compute, "main"));
    let (module, info) =
        pipeline_constants::process_overrides(&module, &info, entry, &values).unwrap_or_else(|e| panic!("{what}: {e}"));
    (module.into_owned(), info.into_owned())
}

fn translate(source: &str, constants: &[(&str, f64)], bindings: u32, what: &str) -> String {
    let (module, info) = resolve(source, constants, what);
    let mut resources = msl::BindingMap::default();
    for binding in 0..bindings {
        let target = msl::BindTarget { buffer: Some(binding as u8), mutable: true, ..Default::default() };
        resources.insert(naga::ResourceBinding { group: 0, binding }, target);
    }
    let own = msl::EntryPointResources {
        resources,
        immediates_buffer: Some(bindings as u8),
        sizes_buffer: Some(bindings as u8 + 1),
    };
    let options = msl::Options {
        lang_version: (3, 0),
        per_entry_point_map: [("main".to_owned(), own)].into_iter().collect(),
        fake_missing_bindings: false,
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Unchecked,
            buffer: BoundsCheckPolicy::Unchecked,
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        ..msl::Options::default()
    };
    let pipeline = msl::PipelineOptions {
        entry_point: Some((naga::ShaderStage::Compute, "main".to_owned())),
        ..msl::PipelineOptions::default()
    };
    let (text, translation) =
        msl::write_string(&module, &info, &options, &pipeline).unwrap_or_else(|e| panic!("{what}: {e}"));
    for name in translation.entry_point_names {
        name.unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    text
}

#[test]
fn metal_sources_are_those_that_were_reviewed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/msl");
    let write = std::env::var_os("LC_WRITE_MSL").is_some();
    let (mut wanted, mut drifted) = (Vec::new(), Vec::new());
    // Metal has no matrix units of 16.
    for (shader, variants) in shaders().filter(|(shader, _)| !shader.name.contains("coop_16")) {
        for constants in variants {
            let name = file(shader.name, constants);
            let text = translate(shader.source, constants, shader.bindings, &name);
            let path = folder.join(&name);
            if write {
                std::fs::create_dir_all(&folder).expect("a folder for the sources");
                std::fs::write(&path, &text).expect("written");
            }
            let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
            if reviewed.replace("\r\n", "\n") != text {
                drifted.push(name.clone());
            }
            wanted.push(name);
        }
    }
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !wanted.contains(&name) {
            match write {
                true => std::fs::remove_file(entry.path()).expect("removed"),
                false => drifted.push(format!("{name}, which no shader makes")),
            }
        }
    }
    assert!(drifted.is_empty(), "not as reviewed (LC_WRITE_MSL=1 writes them anew): {drifted:#?}");
}

/// The Vulkan form is written at run time; here it is only shown that it can be, with and without checks of indices.
#[test]
fn every_shader_becomes_spirv() {
    for (shader, variants) in shaders() {
        for constants in variants {
            let what = file(shader.name, constants);
            let (module, info) = resolve(shader.source, constants, &what);
            for policy in [BoundsCheckPolicy::Unchecked, BoundsCheckPolicy::Restrict] {
                let bounds_check_policies =
                    BoundsCheckPolicies { index: policy, buffer: policy, ..BoundsCheckPolicies::default() };
                let options = spv::Options { lang_version: (1, 3), bounds_check_policies, ..spv::Options::default() };
                let entry_point = "main".to_owned();
                let pipeline = spv::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point };
                let words =
                    spv::write_vec(&module, &info, &options, Some(&pipeline)).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert!(words.len() > 100, "{what}");
            }
        }
    }
}

#[test]
fn shaders_are_told_apart_by_name_and_fit_the_limits() {
    let mut names: Vec<_> = shaders().map(|(shader, _)| shader.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    for (shader, variants) in shaders() {
        assert!(!variants.is_empty(), "{} is used with no constants: give it one empty set", shader.name);
        assert!(shader.params as usize <= lc_wgpu::shader::MAX_PARAMS, "{}", shader.name);
        assert!(shader.bindings as usize <= lc_wgpu::shader::MAX_BINDINGS, "{}", shader.name);
    }
}

/// A kernel that is not listed would go unreviewed.
#[test]
fn every_kernel_file_is_listed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/kernels");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of kernels").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("a kernel");
        let listed = shaders().any(|(shader, _)| shader.source.contains(&text));
        assert!(listed, "{} is in no shader of ops::shaders", entry.path().display());
        files += 1;
    }
    assert!(files > 0);
}
