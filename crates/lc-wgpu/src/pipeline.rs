//! Compiled kernels: one for each shader and set of constants, made at first use and kept.

use crate::adapter::Adapter;
use crate::shader::{MAX_BINDINGS, Shader};
use std::collections::HashMap;

/// Values of a shader's `override` constants, by name.
pub type Constants<'a> = &'a [(&'static str, f64)];

/// [`Constants`] that can be kept and compared.
type Key = Vec<(&'static str, u64)>;

/// A compiled kernel.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its number: what the stream compares to know whether it is set already.
    pub id: usize,
    /// The pipeline.
    pub raw: wgpu::ComputePipeline,
}

/// Every kernel compiled so far.
#[derive(Debug)]
pub struct Pipelines {
    device: wgpu::Device,
    checked: bool,
    groups: Vec<wgpu::BindGroupLayout>,
    layouts: HashMap<(u32, u32), wgpu::PipelineLayout>,
    modules: HashMap<*const Shader, wgpu::ShaderModule>,
    made: HashMap<*const Shader, Vec<(Key, Pipeline)>>,
    count: usize,
}

// SAFETY: the addresses are keys, compared and never followed; shaders are statics.
unsafe impl Send for Pipelines {}

impl Pipelines {
    /// None so far. With `checked`, kernels check every index.
    pub fn new(adapter: &Adapter, checked: bool) -> Pipelines {
        let device = adapter.device.clone();
        let entry = |i: usize| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: false },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let layout = |count: usize| {
            let entries: Vec<_> = (0..count).map(entry).collect();
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
        };
        let groups = (0..=MAX_BINDINGS).map(layout).collect();
        Pipelines {
            checked,
            groups,
            layouts: HashMap::new(),
            modules: HashMap::new(),
            made: HashMap::new(),
            count: 0,
            device,
        }
    }

    /// The layout of `count` storage bindings.
    pub fn group_layout(&self, count: usize) -> &wgpu::BindGroupLayout {
        &self.groups[count]
    }

    /// How many kernels were compiled.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The kernel, compiled now if it is new.
    pub fn get(&mut self, shader: &'static Shader, constants: Constants<'_>) -> Pipeline {
        let same = |key: &[(&'static str, u64)]| {
            key.len() == constants.len() && key.iter().zip(constants).all(|(a, b)| a.0 == b.0 && a.1 == b.1.to_bits())
        };
        if let Some((_, pipeline)) =
            self.made.get(&(shader as *const _)).and_then(|all| all.iter().find(|p| same(&p.0)))
        {
            return pipeline.clone();
        }
        let raw = self.compile(shader, constants);
        self.count += 1;
        let pipeline = Pipeline { id: self.count, raw };
        let key = constants.iter().map(|(name, value)| (*name, value.to_bits())).collect();
        self.made.entry(shader as *const _).or_default().push((key, pipeline.clone()));
        pipeline
    }

    fn compile(&mut self, shader: &'static Shader, constants: Constants<'_>) -> wgpu::ComputePipeline {
        let device = &self.device;
        let module = self.modules.entry(shader as *const _).or_insert_with(|| {
            let source = wgpu::ShaderSource::Wgsl(shader.source.into());
            let descriptor = wgpu::ShaderModuleDescriptor { label: Some(shader.name), source };
            if self.checked {
                return device.create_shader_module(descriptor);
            }
            // SAFETY: our kernels index inside what they were given, by the extents in their parameters. Tests run the
            // same kernels with the checks on.
            unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
        });
        let layout = self.layouts.entry((shader.bindings, shader.params)).or_insert_with(|| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&self.groups[shader.bindings as usize])],
                immediate_size: shader.params * 4,
            })
        });
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(shader.name),
            layout: Some(layout),
            module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                // Kernels write what they read of workgroup memory.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }
}
