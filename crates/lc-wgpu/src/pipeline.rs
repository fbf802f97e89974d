//! Compiled kernels: one for each shader and set of constants, made at first use and kept.

use crate::adapter::{Adapter, Options};
use crate::cache::Cache;
use crate::keys::FastMap;
use crate::shader::{MAX_BINDINGS, Shader};
use std::collections::HashMap;

/// Values of a shader's `override` constants, by name.
pub type Constants<'a> = &'a [(&'static str, f64)];

/// [`Constants`] that can be kept and compared.
type Key = Vec<(&'static str, u64)>;

/// Every kernel compiled so far.
#[derive(Debug)]
pub struct Pipelines {
    device: wgpu::Device,
    checked: bool,
    groups: Vec<wgpu::BindGroupLayout>,
    layouts: HashMap<(u32, u32), wgpu::PipelineLayout>,
    modules: HashMap<usize, wgpu::ShaderModule>,
    /// By shader, the positions of its pipelines in `all`.
    made: FastMap<usize, Vec<usize>>,
    all: Vec<(Key, wgpu::ComputePipeline)>,
    cache: Option<Cache>,
}

impl Pipelines {
    /// None so far. With `options.validation`, kernels check every index.
    pub fn new(adapter: &Adapter, options: &Options) -> Pipelines {
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
            checked: options.validation,
            cache: options.cache_dir.as_deref().and_then(|directory| Cache::open(adapter, directory)),
            groups,
            layouts: HashMap::new(),
            modules: HashMap::new(),
            made: FastMap::default(),
            all: Vec::new(),
            device,
        }
    }

    /// The layout of `count` storage bindings.
    pub fn group_layout(&self, count: usize) -> &wgpu::BindGroupLayout {
        &self.groups[count]
    }

    /// How many kernels were compiled.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The number of a kernel, from one on. It is compiled now if it is new.
    pub fn find(&mut self, shader: &'static Shader, constants: Constants<'_>) -> usize {
        let same = |key: &Key| {
            key.len() == constants.len() && key.iter().zip(constants).all(|(a, b)| a.1 == b.1.to_bits() && a.0 == b.0)
        };
        let address = std::ptr::from_ref(shader) as usize;
        let known = self.made.get(&address).and_then(|own| own.iter().find(|at| same(&self.all[**at].0)));
        if let Some(at) = known {
            return at + 1;
        }
        let raw = self.compile(shader, constants);
        if let Some(cache) = &mut self.cache {
            cache.changed();
        }
        let key = constants.iter().map(|(name, value)| (*name, value.to_bits())).collect();
        self.made.entry(address).or_default().push(self.all.len());
        self.all.push((key, raw));
        self.all.len()
    }

    /// The kernel of a number that [`Pipelines::find`] gave.
    pub fn raw(&self, id: usize) -> &wgpu::ComputePipeline {
        &self.all[id - 1].1
    }

    /// Whether compiled kernels were found on disk.
    pub fn cache_loaded(&self) -> bool {
        self.cache.as_ref().is_some_and(Cache::loaded)
    }

    /// Writes what was compiled since the last time to disk.
    pub fn persist(&mut self) {
        if let Some(cache) = &mut self.cache {
            cache.save();
        }
    }

    fn compile(&mut self, shader: &'static Shader, constants: Constants<'_>) -> wgpu::ComputePipeline {
        let device = &self.device;
        let module = self.modules.entry(std::ptr::from_ref(shader) as usize).or_insert_with(|| {
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
            cache: self.cache.as_ref().map(|cache| &cache.raw),
        })
    }
}
